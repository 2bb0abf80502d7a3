// One connection's life: commands with an end in time, bounded in number, counted. When to open another is the
// link's matter; what the commands mean, of who sends them.
import type { Clock } from '../core/clock.ts';
import { faultOf, linkDown, type Answer, type Fault } from './fault.ts';
import type { Limits } from './limits.ts';
import type { RedisClient } from './redis-client.ts';
import type { ScriptName, Scripts } from './scripts.ts';
import { commandBytes } from './text-bytes.ts';

/** Counts over all connections of a store. */
export interface Meter {
  commandsTotal: number;
  bytesTotal: number;
}

/** What a session stands on. */
export interface SessionParts {
  readonly client: RedisClient;
  readonly scripts: Scripts;
  readonly clock: Clock;
  readonly limits: Limits;
  readonly meter: Meter;
  /** Called at most once: the connection is of no use any more. Not after `end`. */
  readonly onLost: (fault: Fault) => void;
}

/** A connection that is open, until it is lost or ended. Nothing here rejects. */
export class RedisSession {
  readonly #parts: SessionParts;
  #outstanding = 0;
  #isOver = false;

  constructor(parts: SessionParts) {
    this.#parts = parts;
    parts.client.onEnd((error) => this.#lose(faultOf(error ?? new Error('the connection was closed'))));
  }

  /** Sends a command; answers within the command timeout. */
  async ask(command: string, ...args: readonly string[]): Promise<Answer> {
    const { client, limits, meter } = this.#parts;
    if (this.#isOver) return { fault: linkDown };
    if (this.#outstanding >= limits.maxOutstanding)
      return { fault: { kind: 'limited', reason: `${limits.maxOutstanding} commands wait for an answer` } };
    meter.commandsTotal += 1;
    meter.bytesTotal += commandBytes([command, ...args]);
    this.#outstanding += 1;
    const answer = await this.#bounded(client.call(command, args));
    this.#outstanding -= 1;
    if ('fault' in answer && answer.fault.kind !== 'limited') this.#lose(answer.fault);
    return answer;
  }

  /** Runs a script, by its name where the server knows it. */
  async run(name: ScriptName, keys: readonly string[], args: readonly string[]): Promise<Answer> {
    const { sha1, text } = this.#parts.scripts[name];
    const rest = [String(keys.length), ...keys, ...args];
    const answer = await this.ask('EVALSHA', sha1, ...rest);
    if (!('fault' in answer) || !answer.fault.reason.includes('NOSCRIPT')) return answer;
    return this.ask('EVAL', text, ...rest);
  }

  /** Hears channels from now on. */
  async subscribe(
    channels: readonly string[],
    hear: (channel: string, message: string) => void,
  ): Promise<Answer> {
    const { client, meter } = this.#parts;
    client.onMessage((channel, message) => {
      if (!this.#isOver) hear(channel, message);
    });
    meter.commandsTotal += 1;
    meter.bytesTotal += commandBytes(['SUBSCRIBE', ...channels]);
    const answer = await this.#bounded(client.subscribe(channels));
    if ('fault' in answer && answer.fault.kind !== 'limited') this.#lose(answer.fault);
    return answer;
  }

  /** Gives the connection up because of what its owner has seen. */
  giveUp(fault: Fault): void {
    this.#lose(fault);
  }

  /** Closes the connection at once; what is under way answers that the link is down. */
  end(): void {
    this.#isOver = true;
    this.#parts.client.destroy();
  }

  #lose(fault: Fault): void {
    if (this.#isOver) return;
    this.end();
    this.#parts.onLost(fault);
  }

  #bounded(reply: Promise<unknown>): Promise<Answer> {
    const { clock, limits } = this.#parts;
    return answerWithin(reply, clock, limits.commandTimeoutMs);
  }
}

/** The answer, or the fault that none came within this time. Never rejects. */
export function answerWithin(reply: Promise<unknown>, clock: Clock, limitMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    const timer = clock.schedule(limitMs, () =>
      resolve({ fault: { kind: 'away', reason: `no answer within ${limitMs} ms` } }),
    );
    reply
      .then(
        (value) => resolve({ value }),
        (error: unknown) => resolve({ fault: faultOf(error) }),
      )
      .finally(() => timer.cancel());
  });
}
