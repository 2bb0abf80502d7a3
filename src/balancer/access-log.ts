// The access log of a configuration: which stories are begun, which are told, and where. Nothing here runs for a message.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import { openLogFile, type LogFile } from '../platform/log-file.ts';
import type { Logger } from '../platform/logger.ts';
import type { AccessLogConfig } from '../policy/config.ts';
import type { AccessRecord } from './proxy/access-record.ts';
import { AccessStory, type AccessStart } from './proxy/access.ts';

/** What the access log stands on. */
export interface AccessLogDeps {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
}

/** An access log with a lifetime; off while the configuration has none. */
export class AccessLog {
  readonly #deps: AccessLogDeps;
  readonly #numbers = new WeakMap<object, number>();
  #config: AccessLogConfig | undefined;
  #file: LogFile | undefined;
  #connections = 0;
  #lost = 0;

  constructor(config: AccessLogConfig | undefined, deps: AccessLogDeps) {
    this.#deps = deps;
    this.#take(config);
  }

  /** Takes a configuration over, and opens the file anew: also for a configuration that has not changed. */
  reconfigure(config: AccessLogConfig | undefined): void {
    if (config?.file !== this.#config?.file) this.#closeFile();
    this.#take(config);
    this.#file?.reopen();
  }

  /** A story of this listener, to be told at its end; undefined where none is wanted. */
  begin(listener: string, start: AccessStart): AccessStory | undefined {
    const config = this.#config;
    if (config === undefined || !isLogged(config, start.pool)) return undefined;
    const isSampled = config.sampledPart >= 1 || this.#deps.rng.next() < config.sampledPart;
    const telling = {
      clock: this.#deps.clock,
      listener,
      numberOf: (connection: object) => this.#numberOf(connection),
      told: (record: AccessRecord, isBad: boolean) => {
        if (isSampled || isBad) this.#write(record);
      },
    };
    return new AccessStory(telling, start);
  }

  /** Writes what is kept back. Idempotent. */
  stop(): void {
    this.#closeFile();
    this.#config = undefined;
  }

  #take(config: AccessLogConfig | undefined): void {
    this.#config = config;
    if (config?.file === undefined || this.#file !== undefined) return;
    const { file } = config;
    const { log } = this.#deps;
    this.#file = openLogFile(file, {
      failed: (error) => log.error({ err: error, file }, 'access log cannot be written'),
      // Once, then the sum: a line for each would be one log more that the disk does not take.
      lost: () => {
        this.#lost += 1;
        if (this.#lost === 1) log.warn({ file }, 'access log loses lines: the disk is too slow');
      },
    });
  }

  #write(record: AccessRecord): void {
    const path = this.#config?.withQuery === true ? record.path : record.path?.split('?', 1)[0];
    const event = eventOf(record);
    if (this.#file !== undefined) this.#file.write({ ...record, path }, event);
    else if (this.#config !== undefined) this.#deps.log.info({ ...record, path }, event);
  }

  #numberOf(connection: object): number {
    const known = this.#numbers.get(connection);
    if (known !== undefined) return known;
    this.#connections += 1;
    this.#numbers.set(connection, this.#connections);
    return this.#connections;
  }

  #closeFile(): void {
    this.#file?.stop();
    this.#file = undefined;
    if (this.#lost > 0) this.#deps.log.warn({ lines: this.#lost }, 'access log has lost lines');
    this.#lost = 0;
  }
}

function isLogged({ pools }: AccessLogConfig, pool: string): boolean {
  return pools === 'all' || pools.includes(pool);
}

function eventOf({ kind, end }: AccessRecord): string {
  if (end === 'refused') return 'refused';
  return kind === 'websocket' || kind === 'tcp' ? 'connection ended' : 'exchange ended';
}
