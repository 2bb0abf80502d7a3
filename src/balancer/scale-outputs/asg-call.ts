// How AWS is told, through what the operator configured: a command without a shell, or signed JSON to an address.
import { request } from 'undici';
import type { Clock } from '../../core/clock.ts';
import type { AsgCall } from '../../policy/config.ts';
import type { LifecycleEvent } from './asg-event.ts';
import { runCommand } from './exec-run.ts';
import { signatureOf } from './signature.ts';
import { plainLine } from './webhooks-words.ts';

/** What AWS is told of an instance: wait on, or it may go. */
export type AsgAction = 'heartbeat' | 'complete';

/** Tells it once. Undefined when it went well, else a line that says what went wrong. Never rejects. */
export type TellAws = (
  call: AsgCall,
  facts: { readonly action: AsgAction; readonly event: LifecycleEvent },
  signal: AbortSignal,
) => Promise<string | undefined>;

const timeoutMs = 30_000;
// A fleet that ends at once must not start a hundred programs at once.
const maxCalls = 4;

/** Makes the teller; calls beyond four at a time wait for their turn. */
export function createTellAws(deps: {
  readonly clock: Clock;
  /** Variables of this process: they say where the command's credentials are. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}): TellAws {
  const takeTurn = turns(maxCalls);
  return async (call, facts, signal) => {
    const endTurn = await takeTurn();
    try {
      if (signal.aborted) return 'the balancer is stopping';
      return call.kind === 'command'
        ? await run(call.command, facts, { ...deps, signal })
        : await post(call, facts, { ...deps, signal });
    } finally {
      endTurn();
    }
  };
}

/** An argument with the event in it. Unknown words stay: the schema lets none pass. */
export function fillAsgArgument(argument: string, event: LifecycleEvent): string {
  return argument.replaceAll(/\{(\w+)\}/g, (whole, word: string) => {
    const found = Object.entries(event).find(([key]) => key === word);
    return found === undefined ? whole : String(found[1]);
  });
}

async function run(
  [program = '', ...args]: readonly string[],
  { action, event }: Parameters<TellAws>[1],
  {
    clock,
    environment,
    signal,
  }: { clock: Clock; environment: Readonly<Record<string, string | undefined>>; signal: AbortSignal },
): Promise<string | undefined> {
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) env[name] = value;
  const end = await runCommand(
    {
      program,
      args: args.map((argument) => fillAsgArgument(argument, event)),
      env,
      input: bodyOf(action, event),
      timeoutMs,
    },
    clock,
    signal,
  );
  switch (end.kind) {
    case 'exited':
      return end.code === 0 ? undefined : `${program} ended with ${end.code}${lastWords(end.output)}`;
    case 'killed':
      return `${program} was ended by ${end.signal}${lastWords(end.output)}`;
    case 'late':
      return `${program} took longer than ${timeoutMs} ms${lastWords(end.output)}`;
    case 'stopped':
      return 'the balancer is stopping';
    case 'unrunnable':
      return `${program} cannot be run: ${end.reason}`;
  }
}

function lastWords(output: string): string {
  const line = plainLine(output.trim().slice(-300));
  return line === '' ? '' : `: ${line}`;
}

async function post(
  { url, secret }: Extract<AsgCall, { kind: 'url' }>,
  { action, event }: Parameters<TellAws>[1],
  { clock, signal }: { clock: Clock; signal: AbortSignal },
): Promise<string | undefined> {
  const body = bodyOf(action, event);
  const abort = new AbortController();
  const stop = () => abort.abort();
  signal.addEventListener('abort', stop);
  const timer = clock.schedule(timeoutMs, stop);
  try {
    const answer = await request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'herald-signature': signatureOf(body, Math.floor(clock.wallMs() / 1000), [secret]),
      },
      body,
      signal: abort.signal,
    });
    await answer.body.dump();
    return answer.statusCode >= 200 && answer.statusCode < 300
      ? undefined
      : `the answer was ${answer.statusCode}`;
  } catch (error) {
    return `nobody answered: ${plainLine(error instanceof Error ? error.message : String(error))}`;
  } finally {
    timer.cancel();
    signal.removeEventListener('abort', stop);
  }
}

function bodyOf(action: AsgAction, event: LifecycleEvent): string {
  return JSON.stringify({ action, ...(action === 'complete' && { result: 'CONTINUE' }), ...event });
}

/** Hands out so many turns at a time, first come first served. */
function turns(count: number): () => Promise<() => void> {
  let free = count;
  const waiting: (() => void)[] = [];
  const end = () => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };
  return () =>
    new Promise((resolve) => {
      if (free > 0) {
        free -= 1;
        return resolve(end);
      }
      waiting.push(() => resolve(end));
    });
}
