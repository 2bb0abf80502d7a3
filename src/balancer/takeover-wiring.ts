// Replacing this process by a new one, wired to the balancer: what it inherited, what operators see and ask. Its own
// departure is departure.ts.
import type { Clock } from '../core/clock.ts';
import { HeraldError } from '../core/error.ts';
import { ListeningSockets } from '../platform/listening-sockets.ts';
import type { Logger } from '../platform/logger.ts';
import type { Inheritance, spawnSuccessor } from '../platform/takeover-process.ts';
import type { TakeoverAnswer, TakeoverView } from '../protocol/takeover.ts';
import type { TakeoverDesk } from './admin/takeover-port.ts';
import type { RunningControl } from './control/control.ts';
import type { EventFeed } from './control/ports.ts';
import { Departure } from './departure.ts';
import type { TakeoverFigures } from './metrics/takeover-metrics.ts';
import type { Registry } from './state/registry.ts';
import type { SavedState } from './state/saved-state.ts';
import { EarlierProcesses } from './takeover/earlier-processes.ts';
import type { PeerHeritage } from './takeover/messages.ts';
import type { SharedSelf } from './takeover/shared-self.ts';
import { Succession } from './takeover/succession.ts';
import { WishReport } from './takeover/wishes.ts';

/** What a process needs to be replaced, and to replace another. */
export interface Heritage {
  readonly inheritance: Inheritance;
  readonly spawn: typeof spawnSuccessor;
  readonly pid: number;
}

/** What the takeovers of a balancer act on. */
export interface TakeoverParts {
  /** Undefined: this process neither replaces another nor is replaced. */
  readonly heritage: Heritage | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly registry: Registry;
  readonly control: RunningControl;
  readonly events: EventFeed;
  readonly saved: () => SavedState | undefined;
  /** This balancer among others; undefined where it shares nothing. */
  readonly shared: () => SharedSelf | undefined;
  /** Connections and exchanges under way. */
  readonly openCount: () => number;
  /** How long a replaced process relays what it has; Infinity: as long as it takes. */
  readonly relayForMs: () => number;
  /** Stops accepting, and doing whatever the new process does. */
  readonly release: (taken: ReadonlySet<string>) => Promise<void>;
}

/** Takeovers with a lifetime: `inherit` and `serve` at the start, `stop` at the end. */
export class Takeovers implements TakeoverDesk {
  readonly sockets: ListeningSockets;
  readonly #parts: TakeoverParts;
  readonly #earlier: EarlierProcesses;
  readonly #succession: Succession | undefined;
  readonly #departure: Departure;
  readonly #wishes: WishReport | undefined;

  constructor(parts: TakeoverParts) {
    const { heritage, clock, registry } = parts;
    this.#parts = parts;
    this.sockets = new ListeningSockets(heritage?.inheritance.sockets);
    this.#earlier = new EarlierProcesses(registry.pools);
    const { generation } = this;
    const channel = heritage?.inheritance.channel;
    this.#succession = channel && new Succession(generation, { channel, clock });
    this.#wishes = channel && new WishReport({ ...parts, send: (wish) => this.#succession?.wish(wish) });
    this.#departure = new Departure({
      ...parts,
      generation,
      sockets: this.sockets,
      earlier: () => this.#earlier.processes,
      hasEarlier: () => this.#succession?.isGone === false,
      tell: (...event) => this.#tell(...event),
    });
  }

  /** What the process before was to other balancers, after `inherit`; undefined where there is none. */
  get inheritedPeer(): PeerHeritage | undefined {
    return this.#succession?.peer;
  }

  /** The process that serves first has 1. */
  get generation(): number {
    return this.#parts.heritage?.inheritance.generation ?? 1;
  }

  /** Resolves when another process has the listeners. */
  get released(): Promise<void> {
    return this.#departure.released;
  }

  /** Resolves, after `released`, when nothing is left to relay here or the time for it is over. */
  get retired(): Promise<void> {
    return this.#departure.retired;
  }

  /** Another process has the admin socket's file: it is not this one's to remove. */
  get keepsSocketFile(): boolean {
    return this.#succession?.isReleased === false;
  }

  /** What the process before hands over; undefined where there is none, or where it has died. */
  async inherit(): Promise<string | undefined> {
    this.#succession?.follow(
      (counts) => this.#earlier.absorb(counts),
      () => {
        this.#wishes?.stop();
        this.#earlier.clear();
      },
    );
    return this.#succession?.state();
  }

  /** Every listener accepts: the process before is told, and has let go when this resolves. */
  async serve(): Promise<void> {
    const { taken } = this.sockets;
    this.sockets.closeUnused();
    if (this.#succession === undefined) return;
    this.#wishes?.start();
    await this.#succession.serving(taken, this.#parts.shared()?.place);
    const connections = this.#earlier.view().reduce((sum, each) => sum + each.connections, 0);
    const message = `This process has taken over; ${connections} connections stay with the one before.`;
    this.#tell('takeover.ended', message, { generation: this.generation, connections });
  }

  /** Whoever watches over the service knows that it is this process: the one before may end. */
  settled(): void {
    this.#succession?.settled();
  }

  /** This process cannot serve: the process before hears why. */
  refuse(error: unknown): void {
    this.#succession?.failed(error instanceof Error ? error.message : String(error));
  }

  view(): TakeoverView {
    const { generation } = this;
    const pid = this.#parts.heritage?.pid ?? 0;
    return { generation, pid, isUnderWay: this.#departure.isUnderWay, earlier: this.#earlier.view() };
  }

  figures(): TakeoverFigures {
    const done = this.#succession?.isReleased === true ? 1 : 0;
    const { failed } = this.#departure;
    return { generation: this.generation, done, failed, earlier: this.#earlier.view() };
  }

  async begin(by: string): Promise<TakeoverAnswer> {
    this.#refuseWhereImpossible();
    const outcome = await this.#departure.begin(by);
    if (!outcome.done) throw new HeraldError('HERALD_TAKEOVER_FAILED', outcome.reason);
    const { pid, tookMs } = outcome;
    return { generation: this.generation + 1, pid, tookMs, connections: this.#parts.openCount() };
  }

  passGate(): Promise<void> {
    return this.#departure.gate.pass();
  }

  /** Ends what is under way; the process before, and the one after, are on their own. Idempotent. */
  stop(): void {
    this.#wishes?.stop();
    this.#departure.stop();
    this.#succession?.stop();
  }

  #refuseWhereImpossible(): void {
    const { heritage } = this.#parts;
    if (heritage === undefined)
      throw new HeraldError('HERALD_NOT_AVAILABLE', 'this balancer was not started by `herald serve`');
    if (this.#succession?.isReleased === false)
      throw new HeraldError('HERALD_TAKEOVER_FAILED', 'this process is taking over itself: wait a moment');
    // With it the container ends, and with that the new process and every client.
    if (heritage.pid === 1)
      throw new HeraldError(
        'HERALD_TAKEOVER_FAILED',
        'this is process 1 of its container, which ends with it: replace the container (docs/takeover.md)',
      );
  }

  #tell(type: string, message: string, facts: Record<string, string | number>, by = ''): void {
    const { log, events } = this.#parts;
    log[type === 'takeover.failed' ? 'warn' : 'info']({ type, by, ...facts }, message);
    events.tell({ type, pool: '', node: '', by, why: '', message, facts });
  }
}
