// Webhooks and scaling drivers of a configuration, wired to the feeds, the log and this process's environment.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { Logger } from '../platform/logger.ts';
import type { Config, DriverConfig } from '../policy/config.ts';
import type { EventFeed, ScaleExecutor, ScaleFeed } from './control/ports.ts';
import { ExecDriver, type DriverOutcome } from './scale-outputs/exec.ts';
import { Webhooks } from './scale-outputs/webhooks.ts';

/** What outputs are made with. */
export interface OutputParts {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  /** Version of the package. */
  readonly version: string;
  readonly events: EventFeed;
  readonly scaling: ScaleFeed;
  /** Whether this balancer acts for all that share its pools; left out, it does. */
  readonly isLeader?: () => boolean;
}

type Outputs = Pick<Config, 'webhooks' | 'drivers'>;
type DriverCounts = Record<DriverOutcome, number>;

// A receiver that answers at once does so within this; who does not is told by the next process.
const longestFlushMs = 5000;

/** Webhooks and drivers with a lifetime: `webhooks.section` is restored, then `start`, then `stop`. */
export class ConfiguredOutputs {
  readonly webhooks: Webhooks;
  readonly #parts: OutputParts;
  readonly #counts = new Map<string, DriverCounts>();
  #drivers: readonly ExecDriver[] = [];
  /** Out of the configuration, with a command still under way. */
  #retired: readonly ExecDriver[] = [];

  constructor(config: Outputs, parts: OutputParts) {
    const { log, events } = parts;
    this.#parts = parts;
    this.webhooks = new Webhooks(
      {
        ...parts,
        ...onlyAsLeader(parts),
        tell(event) {
          const { type, message, facts } = event;
          log[type === 'webhook.recovered' ? 'info' : 'warn']({ type, pool: event.pool, ...facts }, message);
          events.tell(event);
        },
      },
      config.webhooks,
    );
    this.#configureDrivers(config.drivers);
  }

  start(): void {
    this.webhooks.start();
  }

  /** Takes other webhooks and drivers over. A command that runs for a driver that is gone is left to its end. */
  reconfigure(config: Outputs): void {
    this.webhooks.configure(config.webhooks);
    this.#configureDrivers(config.drivers);
  }

  /** What starts and stops the nodes of a pool; undefined: nothing does. */
  executorOf(pool: string): ScaleExecutor | undefined {
    return this.#drivers.find(({ config: { pools } }) => pools === 'all' || pools.includes(pool));
  }

  /** Ends commands, and sends what waits for at most `graceMs`, five seconds at most. */
  async stop(graceMs: number): Promise<void> {
    const drivers = [...this.#drivers, ...this.#retired];
    const flushMs = Math.min(graceMs, longestFlushMs);
    await Promise.all([this.webhooks.stop(flushMs), ...drivers.map((driver) => driver.stop())]);
    for (const { name, queued } of this.webhooks.list())
      if (queued > 0) this.#parts.log.warn({ webhook: name, queued }, 'webhook events not delivered yet');
  }

  /** What metrics read. */
  figures() {
    const drivers = [...this.#counts].map(([driver, counts]) => ({ driver, counts }));
    return { webhooks: this.webhooks.figures(), drivers };
  }

  #configureDrivers(configs: readonly DriverConfig[]): void {
    const before = this.#drivers;
    this.#retired = [...this.#retired, ...before].filter(({ isRunning }) => isRunning);
    this.#drivers = configs.map(
      // One that has not changed knows what it runs: no second command for the same pool.
      (config) => before.find((driver) => isDeepStrictEqual(driver.config, config)) ?? this.#driver(config),
    );
  }

  #driver(config: DriverConfig): ExecDriver {
    const { clock, scaling } = this.#parts;
    const counts = this.#counts.get(config.name) ?? { done: 0, failed: 0, timeout: 0 };
    this.#counts.set(config.name, counts);
    return new ExecDriver(config, {
      clock,
      environment: process.env,
      currentNodes: (pool) => scaling.scaling(pool).nodes,
      count: (outcome) => (counts[outcome] += 1),
    });
  }
}

/** Of scaling, one balancer tells for all: each works out the same. What happens on this one it tells itself. */
function onlyAsLeader({
  events,
  scaling,
  isLeader = () => true,
}: OutputParts): Pick<OutputParts, 'events' | 'scaling'> {
  return {
    events: {
      ...events,
      listen: (hear) =>
        events.listen((event) => {
          if (!event.type.startsWith('scale.') || isLeader()) hear(event);
        }),
    },
    scaling: {
      ...scaling,
      scaling: (pool) => scaling.scaling(pool),
      onScaling: (hear) =>
        scaling.onScaling((each) => {
          if (isLeader()) hear(each);
        }),
    },
  };
}
