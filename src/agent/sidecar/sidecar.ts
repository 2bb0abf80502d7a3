// A sidecar: an agent whose sensors look at the node from outside. It is told its configuration and may be told another.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { Rng } from '../../core/rng.ts';
import type { Logger } from '../../platform/logger.ts';
import type { AgentConfig } from '../../policy/agent-config.ts';
import type { AgentEvent } from '../event.ts';
import { createTraffic, type Traffic } from '../observers/traffic.ts';
import type { AgentParts } from '../parts.ts';
import { RunningAgent } from '../running-agent.ts';
import type { Allowance } from '../sensors/allowance.ts';
import type { AgentStatus } from '../status.ts';
import { agentSettings } from './agent-settings.ts';
import { ReplaceableMeasuring, startMeasuring, type Measuring, type MeasuringParts } from './measuring.ts';
import { createMissingSignals, type MissingSignals } from './missing-signals.ts';
import { logEvent, logMissing, logPressure } from './sidecar-log.ts';

/** What a sidecar is made of. */
export interface SidecarParts extends Pick<AgentParts, 'openSender' | 'openAgentCheckServer'> {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly log: Logger;
  /** '/' but in tests. */
  readonly root: string;
  readonly hostname: string;
  readonly machine: () => Allowance;
  readonly openSources: MeasuringParts['openSources'];
  /** Called once: a balancer has taken the first report, or there is none to take it. */
  readonly onReady: () => void;
}

interface Running {
  readonly config: AgentConfig;
  readonly measuring: Measuring;
  readonly sensor: ReplaceableMeasuring;
  readonly agent: RunningAgent;
}

/** Runs from `start` to `stop`. */
export class Sidecar {
  readonly #parts: SidecarParts;
  readonly #traffic: Traffic = createTraffic();
  readonly #missing: MissingSignals;
  #running: Running | undefined;
  #isReady = false;

  constructor(parts: SidecarParts) {
    this.#parts = parts;
    this.#missing = createMissingSignals(parts.clock, (signal, reason) =>
      logMissing(parts.log, signal, reason),
    );
  }

  /** Undefined before `start` and after `stop`. */
  get status(): AgentStatus | undefined {
    return this.#running?.agent.status();
  }

  /** Signals that are missing now, with the reason. */
  get missing(): ReadonlyMap<string, string> {
    return this.#missing.now;
  }

  /** Starts to measure and to report. Rejects with HERALD_LISTEN_FAILED when StatsD's port is not to be had. */
  async start(config: AgentConfig): Promise<void> {
    const measuring = await this.#measure(config);
    this.#running = this.#open(config, measuring);
    if (config.balancers.length === 0) this.#ready();
  }

  /**
   * Goes on by another configuration. The agent stays the same, with its epoch, as long as only what it measures
   * changes; else it takes its leave and another starts. Rejects as `start` does, with the old one going on.
   */
  async reload(config: AgentConfig): Promise<void> {
    const before = this.#running;
    if (before === undefined || isSame(before.config, config)) return;
    // First the old sources: the new ones may want the same port.
    await before.measuring.stop();
    const measuring = await this.#measure(config).catch(async (error: unknown) => {
      before.sensor.replace(await this.#measure(before.config));
      throw error;
    });
    for (const signal of this.#missing.now.keys()) this.#missing.note(signal, undefined);
    if (isSameAgent(before.config, config)) {
      before.sensor.replace(measuring);
      this.#running = { ...before, config, measuring };
      return;
    }
    await before.agent.stop();
    this.#running = this.#open(config, measuring);
  }

  /** Takes leave of the balancers and lets go of everything, within a second or so. Idempotent. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    await Promise.all([running?.agent.stop(), running?.measuring.stop()]);
  }

  #measure(config: AgentConfig): Promise<Measuring> {
    const { root, clock, machine, log, openSources } = this.#parts;
    const { note } = this.#missing;
    const tellPressure = (where: string | undefined): void => logPressure(log, where);
    return startMeasuring(config, {
      root,
      clock,
      machine,
      note,
      openSources,
      tellPressure,
      traffic: this.#traffic,
    });
  }

  #open(config: AgentConfig, measuring: Measuring): Running {
    const { hostname, clock, rng, openSender, openAgentCheckServer } = this.#parts;
    const sensor = new ReplaceableMeasuring(measuring);
    const agent = new RunningAgent(
      agentSettings(config, hostname),
      { onEvent: (event) => this.#hear(event), onAdminState: undefined },
      {
        clock,
        rng,
        openSender,
        openAgentCheckServer,
        traffic: this.#traffic,
        sensors: { sidecar: sensor },
        // The event loop of this process is not the node's.
        eventLoopLagMaxMs: () => 0,
      },
    );
    agent.start();
    return { config, measuring, sensor, agent };
  }

  #hear(event: AgentEvent): void {
    logEvent(this.#parts.log, event);
    if (event.type === 'reporting') this.#ready();
  }

  #ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#parts.onReady();
  }
}

/** True when two configurations differ at most in what is measured. */
function isSameAgent(a: AgentConfig, b: AgentConfig): boolean {
  return isSame(ofAgent(a), ofAgent(b));
}

function ofAgent({ balancers, token, pool, node, intervalMs, agentCheck }: AgentConfig): object {
  return { balancers, token, pool, node, intervalMs, agentCheck };
}

/** By their JSON, since to a deep comparison all URLs are alike. */
function isSame(a: object, b: object): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** What a failed start or reload says, in one line. */
export function reasonOf(error: unknown): string {
  return error instanceof HeraldError ? `${error.message} [${error.code}]` : String(error);
}
