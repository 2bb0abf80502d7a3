// One agent: samples by the clock and hands each sample to a reporter per balancer. The machine's clock,
// sensors and connections are handed in, so that tests can replace them.
import type { Clock, Timer } from '../core/clock.ts';
import { HeraldError } from '../core/error.ts';
import type { Rng } from '../core/rng.ts';
import { AgentCheck } from './agent-check.ts';
import { combineWishes } from './directives.ts';
import { type AdminState, type AgentEvent, callSafely } from './event.ts';
import type { ObservableServer, Unobserve } from './observers/observable.ts';
import { createObservers, type Observers } from './observers/observe.ts';
import type { AgentOptions, AgentSettings, ShedWish } from './options.ts';
import type { AgentParts } from './parts.ts';
import { Reporter } from './reporter.ts';
import { createSampler, type Sampler } from './sampler.ts';
import type { AgentStatus } from './status.ts';

/** Reports this process to its balancers. */
export interface Agent {
  /** Counts a server's connections and messages from now on; several add up. Works before and after `start`. */
  observe(server: ObservableServer): Unobserve;
  /** Starts to report: the first report goes out after one interval. Opens the agent-check's port. Throws after `stop`; else idempotent. */
  start(): void;
  /** Takes leave of the balancers and lets go of everything, within a second or so. Idempotent. */
  stop(): Promise<void>;
  status(): AgentStatus;
  /** The operator's wish for this node: the most restrictive of its balancers'. Undefined before the first answer. */
  readonly adminState: AdminState | undefined;
}

type Callbacks = Pick<AgentOptions, 'onEvent' | 'onAdminState' | 'onShed'>;

/** An agent that is not started yet. */
export class RunningAgent implements Agent {
  readonly #settings: AgentSettings;
  readonly #callbacks: Callbacks;
  readonly #parts: AgentParts;
  readonly #observers: Observers;
  readonly #sampler: Sampler;
  readonly #reporters: readonly Reporter[];
  readonly #agentCheck: AgentCheck | undefined;
  #state: AgentStatus['state'] = 'idle';
  #adminState: AdminState | undefined;
  #signals: AgentStatus['signals'] = {};
  #ticking: Timer | undefined;
  #stopping: Promise<void> | undefined;

  constructor(settings: AgentSettings, callbacks: Callbacks, parts: AgentParts) {
    const { clock, rng, traffic, sensors } = parts;
    this.#settings = settings;
    this.#callbacks = callbacks;
    this.#parts = parts;
    this.#observers = createObservers(traffic);
    this.#sampler = createSampler({
      clock,
      traffic,
      sensors,
      signals: settings.signals,
      identity: {
        pool: settings.pool,
        node: settings.node,
        epoch: newEpoch(clock, rng),
        ...(callbacks.onShed !== undefined && { capabilities: ['shed'] }),
      },
      onLeftOut: (signal, reason) => this.#tell({ type: 'signalLeftOut', signal, reason }),
    });
    const surroundings = {
      settings,
      parts,
      tell: (event: AgentEvent) => this.#tell(event),
      onOk: () => this.#updateAdminState(),
      onShed: (wish: ShedWish) => callSafely(callbacks.onShed, wish),
    };
    this.#reporters = settings.balancers.map((url) => openReporter(url, surroundings));
    const { agentCheck } = settings;
    this.#agentCheck =
      agentCheck &&
      new AgentCheck({
        settings: agentCheck,
        clock,
        tell: surroundings.tell,
        adminState: () => this.#adminState,
        openServer: parts.openAgentCheckServer,
      });
  }

  get adminState(): AdminState | undefined {
    return this.#adminState;
  }

  observe(server: ObservableServer): Unobserve {
    if (this.#state === 'stopped') throw stopped('observe');
    return this.#observers.observe(server);
  }

  start(): void {
    if (this.#state === 'stopped') throw stopped('start');
    if (this.#state === 'running') return;
    this.#state = 'running';
    this.#sampler.begin();
    this.#agentCheck?.start();
    this.#ticking = this.#parts.clock.repeat(this.#settings.intervalMs, () => this.#report());
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#end();
    return this.#stopping;
  }

  status(): AgentStatus {
    return {
      state: this.#state,
      node: this.#settings.node.id,
      pool: this.#settings.pool,
      lastReportAtMs: latest(this.#reporters.map(({ status }) => status.lastOkAtMs)),
      signals: this.#signals,
      eventLoopLagMaxMs: this.#parts.eventLoopLagMaxMs(),
      traffic: { ...this.#parts.traffic },
      adminState: this.#adminState,
      balancers: this.#reporters.map(({ status }) => status),
      leftOut: Object.fromEntries(this.#sampler.leftOut),
      agentCheck: this.#agentCheck?.status,
    };
  }

  #report(): void {
    const sample = this.#sampler.sample();
    this.#signals = sample.report.signals;
    this.#agentCheck?.absorb(sample);
    for (const reporter of this.#reporters) reporter.offer(sample);
  }

  async #end(): Promise<void> {
    this.#state = 'stopped';
    this.#ticking?.cancel();
    const farewell = this.#sampler.farewell();
    this.#sampler.stop();
    this.#observers.stop();
    const leaving = this.#reporters.map((reporter) => reporter.leave(farewell));
    await Promise.all([...leaving, this.#agentCheck?.stop()]);
  }

  #updateAdminState(): void {
    const wishes = this.#reporters.map(({ status }) => status);
    const wish = combineWishes(
      wishes.map(({ state, adminState }) => ({ isCurrent: state === 'ok', adminState })),
    );
    if (wish === undefined || wish === this.#adminState) return;
    this.#adminState = wish;
    this.#tell({ type: 'adminState', adminState: wish });
    callSafely(this.#callbacks.onAdminState, wish);
  }

  #tell(event: AgentEvent): void {
    callSafely(this.#callbacks.onEvent, event);
  }
}

interface ReporterSurroundings {
  readonly settings: AgentSettings;
  readonly parts: AgentParts;
  readonly tell: (event: AgentEvent) => void;
  readonly onOk: () => void;
  readonly onShed: (wish: ShedWish) => void;
}

/** A reporter whose changes, and only they, are told. */
function openReporter(url: URL, { settings, parts, tell, onOk, onShed }: ReporterSurroundings): Reporter {
  const balancer = url.href;
  let toldCode: string | undefined = 'nothing told yet';
  return new Reporter({
    balancer,
    clock: parts.clock,
    rng: parts.rng,
    sender: parts.openSender(url, settings.token),
    onShed,
    onOk() {
      if (toldCode !== undefined) tell({ type: 'reporting', balancer });
      toldCode = undefined;
      onOk();
    },
    onFailure(failure) {
      if (toldCode === failure.code) return;
      toldCode = failure.code;
      tell({ type: 'failing', balancer, failure });
    },
  });
}

/** Differs between any two agents: by the millisecond, and by chance for those made within one. */
function newEpoch(clock: Clock, rng: Rng): string {
  const chance = Math.floor(rng.next() * 36 ** 8).toString(36);
  return `${Math.floor(clock.wallMs()).toString(36)}-${chance}`;
}

function latest(instants: readonly (number | undefined)[]): number | undefined {
  const known = instants.filter((instant) => instant !== undefined);
  return known.length === 0 ? undefined : Math.max(...known);
}

function stopped(what: string): HeraldError {
  return new HeraldError(
    'HERALD_AGENT_INVALID',
    `${what}: this agent has stopped; make another with createAgent`,
  );
}
