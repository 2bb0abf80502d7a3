// The driver of kind `exec`: a command of the operator's starts and stops nodes. When it is asked, and how often, is the
// driver loop's work.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { fillArgument, hasPlaceholder, type TemplateValues } from '../../policy/command-template.ts';
import type { DriverConfig } from '../../policy/config.ts';
import type { ScaleExecutor, ScaleWish } from '../control/ports.ts';
import { runCommand, type Command, type CommandEnd } from './exec-run.ts';
import { plainLine } from './webhooks-words.ts';

/** What came of a wish. */
export type DriverOutcome = 'done' | 'failed' | 'timeout';

/** What a driver is made with. */
export interface ExecDeps {
  readonly clock: Clock;
  /** The variables of this process: a command gets them, since they say where its tools and credentials are. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Nodes of a pool that serve or start. */
  readonly currentNodes: (pool: string) => number;
  readonly count: (outcome: DriverOutcome) => void;
}

// One variable has 128 KiB at most on Linux: more victims than fit are on standard input only.
const maxVariableLength = 64 * 1024;

/** Runs commands, one at a time for a pool. */
export class ExecDriver implements ScaleExecutor {
  readonly #config: DriverConfig;
  readonly #deps: ExecDeps;
  readonly #running = new Map<string, { readonly abort: AbortController; readonly end: Promise<unknown> }>();

  constructor(config: DriverConfig, deps: ExecDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  get name(): string {
    return this.#config.name;
  }

  get config(): DriverConfig {
    return this.#config;
  }

  /** Whether a command is under way. */
  get isRunning(): boolean {
    return this.#running.size > 0;
  }

  /** Runs the command for this wish. HERALD_DRIVER_FAILED unless it exits with 0 in time. */
  async apply(wish: ScaleWish): Promise<void> {
    if (this.#running.has(wish.pool)) {
      // The loop waits for longer than a command may run: this is a mistake, and two commands would be a worse one.
      throw this.#failure(wish, 'the command of an earlier wish is still running');
    }
    const abort = new AbortController();
    const end = runCommand(this.#commandFor(wish), this.#deps.clock, abort.signal);
    this.#running.set(wish.pool, { abort, end });
    const came = await end;
    this.#running.delete(wish.pool);
    if (came.kind === 'exited' && came.code === 0) return this.#deps.count('done');
    this.#deps.count(came.kind === 'late' ? 'timeout' : 'failed');
    throw this.#failure(wish, this.#words(came));
  }

  /** Ends what runs, its whole process group, and resolves when it is over. Idempotent. */
  async stop(): Promise<void> {
    const running = [...this.#running.values()];
    for (const { abort } of running) abort.abort();
    await Promise.all(running.map(({ end }) => end));
  }

  #commandFor(wish: ScaleWish): Command {
    const { command, timeoutMs, env } = this.#config;
    const [program, ...args] = command;
    const values = valuesOf(wish, this.#deps.currentNodes(wish.pool));
    return {
      program,
      args: args.map((argument) => this.#fill(argument, values, wish)),
      env: { ...defined(this.#deps.environment), ...env, ...variablesOf(values) },
      input: `${JSON.stringify(wish)}\n`,
      timeoutMs,
    };
  }

  /** An id of a node that begins with a dash must not become an option of the command. */
  #fill(argument: string, values: TemplateValues, wish: ScaleWish): string {
    const filled = fillArgument(argument, values);
    if (!filled.startsWith('-') || argument.startsWith('-') || !hasPlaceholder(argument)) return filled;
    this.#deps.count('failed');
    throw this.#failure(
      wish,
      `the argument ${argument} would become ${plainLine(filled)}, which reads like an option: write --name=${argument}`,
    );
  }

  #words(end: CommandEnd): string {
    if (end.kind === 'unrunnable') return `${this.#config.command[0]} cannot be run: ${end.reason}`;
    const how = this.#howOf(end);
    const said = plainLine(end.output.slice(-maxSaidCharacters));
    return said === '' ? `${how}; it has said nothing` : `${how}; it has said: ${said}`;
  }

  #howOf(end: Exclude<CommandEnd, { kind: 'unrunnable' }>): string {
    if (end.kind === 'exited') return `exit code ${end.code}`;
    if (end.kind === 'killed') return `ended by ${end.signal}`;
    if (end.kind === 'stopped') return 'ended, since Herald stops';
    return `still running after ${this.#config.timeoutMs / 1000} s, and ended`;
  }

  #failure({ id, pool }: ScaleWish, why: string): HeraldError {
    const message = `driver '${this.name}' failed for pool '${pool}': ${why}`;
    return new HeraldError('HERALD_DRIVER_FAILED', message, { driver: this.name, pool, wish: id });
  }
}

// As much as plainLine leaves whole, from the end: the last words say why.
const maxSaidCharacters = 300;

function valuesOf(wish: ScaleWish, currentNodes: number): TemplateValues {
  const ids = wish.victims.map(({ id }) => id);
  return {
    id: wish.id,
    pool: wish.pool,
    action: wish.action,
    desired: String(wish.desired),
    current: String(currentNodes),
    victim: ids[0] ?? '',
    victims: ids.join(','),
    reason: wish.reason,
  };
}

function variablesOf(values: TemplateValues): Record<string, string> {
  const named = Object.entries(values).map(([name, value]) => [`HERALD_SCALE_${name.toUpperCase()}`, value]);
  // Pairs of two texts.
  return Object.fromEntries(named.filter(([, value = '']) => value.length <= maxVariableLength)) as Record<
    string,
    string
  >;
}

function defined(environment: ExecDeps['environment']): Record<string, string> {
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}
