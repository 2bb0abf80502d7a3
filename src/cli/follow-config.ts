// Keeps a running balancer as its files are: watches them, reads them again, and hands over what is sound.
import { isDeepStrictEqual } from 'node:util';
import type { Balancer } from '../balancer/balancer.ts';
import type { Clock } from '../core/clock.ts';
import { HeraldError } from '../core/error.ts';
import { loadConfig, type LoadedConfig } from '../platform/config.ts';
import type { Logger } from '../platform/logger.ts';
import { watchFiles, type FileWatch } from '../platform/watch-directory.ts';
import type { Environment } from '../policy/environment.ts';

/** What follows which files. */
export interface FollowOptions {
  readonly balancer: Pick<Balancer, 'reconfigure' | 'refuseConfiguration'>;
  /** The configuration file. */
  readonly path: string;
  readonly env: Environment;
  /** What the balancer was made of. */
  readonly loaded: LoadedConfig;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Follows the files from `start` to `close`. */
export class ConfigFollower {
  readonly #options: FollowOptions;
  #watch: FileWatch | undefined;
  #watched: LoadedConfig['watched'] | undefined;
  #isReading = false;
  #isStale = false;
  #isClosed = false;

  constructor(options: FollowOptions) {
    this.#options = options;
  }

  /** Resolves when the balancer is as its files are and further changes will be seen. */
  async start(): Promise<void> {
    const { loaded, path, env } = this.#options;
    await this.#watchThese(loaded.watched);
    // What changed while the balancer started is in the watch's first state: the watch would never tell it.
    const now = await loadConfig(path, env).catch(() => undefined);
    if (!isDeepStrictEqual(now, loaded)) await this.reload();
  }

  /** Reads the files again. One reading at a time: an older one that ends later would bring back an old state. */
  async reload(): Promise<void> {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false;
      await this.#read();
    }
    this.#isReading = false;
  }

  /** Idempotent. Nothing is handed over any more. */
  close(): void {
    this.#isClosed = true;
    this.#watch?.close();
  }

  async #read(): Promise<void> {
    const { balancer, path, env, log } = this.#options;
    try {
      const loaded = await loadConfig(path, env);
      if (this.#isClosed) return;
      const { isChanged, needRestart } = balancer.reconfigure(loaded);
      const counts = { pools: loaded.config.pools.length, policies: loaded.policies.size };
      log.info(counts, isChanged ? 'configuration reloaded' : 'configuration unchanged');
      if (needRestart.length > 0)
        log.warn({ sections: needRestart }, 'these sections change with a restart only');
      await this.#watchThese(loaded.watched);
    } catch (error) {
      balancer.refuseConfiguration();
      const problems = error instanceof HeraldError ? error.message : String(error);
      log.error({ problems }, 'configuration refused: the old one goes on');
    }
  }

  /** A configuration may name other files than the one before; what changed in them meanwhile is read again. */
  async #watchThese(watched: LoadedConfig['watched']): Promise<void> {
    if (isDeepStrictEqual(watched, this.#watched)) return;
    this.#isStale = this.#watched !== undefined;
    this.#watched = watched;
    this.#watch?.close();
    const { clock } = this.#options;
    this.#watch = watchFiles({ ...watched, clock, onChange: () => void this.reload() });
    await this.#watch.ready;
    if (this.#isClosed) this.#watch.close();
  }
}
