// Replacing this process by a new one, wired to the balancer: what it hands over, what it inherited, and what it still
// relays afterwards. The decisions are in takeover/.
import type { Clock } from '../core/clock.ts';
import { HeraldError } from '../core/error.ts';
import type { Logger } from '../platform/logger.ts';
import { ListeningSockets } from '../platform/listening-sockets.ts';
import type { Inheritance, spawnSuccessor } from '../platform/takeover-process.ts';
import type { TakeoverAnswer, TakeoverView } from '../protocol/takeover.ts';
import type { TakeoverDesk } from './admin/takeover-port.ts';
import type { RunningControl } from './control/control.ts';
import type { EventFeed } from './control/ports.ts';
import type { TakeoverFigures } from './metrics/takeover-metrics.ts';
import type { Registry } from './state/registry.ts';
import type { SavedState } from './state/saved-state.ts';
import { ChangeGate } from './takeover/change-gate.ts';
import { CountsReport } from './takeover/counts.ts';
import { EarlierProcesses } from './takeover/earlier-processes.ts';
import { Handover, type HandoverOutcome, type Successor } from './takeover/handover.ts';
import { readMessage, type ToPredecessor } from './takeover/messages.ts';
import { Remainder } from './takeover/remainder.ts';
import { Succession } from './takeover/succession.ts';
import { applyWish, WishReport } from './takeover/wishes.ts';

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
  /** Connections and exchanges under way. */
  readonly openCount: () => number;
  /** How long a replaced process relays what it has; Infinity: for ever. */
  readonly relayForMs: () => number;
  /** Stops accepting and doing whatever the new process does. */
  readonly release: (taken: ReadonlySet<string>) => Promise<void>;
}

/** Takeovers with a lifetime: `inherit` and `serve` at the start, `stop` at the end. */
export class Takeovers implements TakeoverDesk {
  readonly sockets: ListeningSockets;
  /** Another process has been given the listeners: resolves at once then. */
  readonly released: Promise<void>;
  /** Nothing is left to relay here, or the time for it is over; after `released`. */
  readonly retired: Promise<void>;
  readonly #parts: TakeoverParts;
  readonly #gate = new ChangeGate();
  readonly #earlier: EarlierProcesses;
  readonly #succession: Succession | undefined;
  readonly #handover: Handover;
  readonly #remainder: Remainder;
  readonly #wishes: WishReport | undefined;
  #counts: CountsReport | undefined;
  #successor: Successor | undefined;
  #tellReleased: () => void = () => {};
  #failed = 0;

  constructor(parts: TakeoverParts) {
    const { heritage, clock, registry } = parts;
    this.#parts = parts;
    this.sockets = new ListeningSockets(heritage?.inheritance.sockets);
    this.#earlier = new EarlierProcesses(registry.pools);
    const { channel, generation = 1 } = heritage?.inheritance ?? {};
    this.#succession = channel && new Succession(generation, { channel, clock });
    this.#wishes = channel && new WishReport({ ...parts, send: (wish) => this.#succession?.wish(wish) });
    this.released = new Promise((resolve) => (this.#tellReleased = resolve));
    this.#remainder = new Remainder({
      clock,
      count: () => parts.openCount() + (this.#succession?.isGone === false ? 1 : 0),
      relayForMs: parts.relayForMs,
    });
    this.retired = this.#remainder.over;
    this.#handover = this.#createHandover();
  }

  /** The process that serves first has 1. */
  get generation(): number {
    return this.#parts.heritage?.inheritance.generation ?? 1;
  }

  /** Another process has the admin socket's file: it is not this one's to remove. */
  get keepsSocketFile(): boolean {
    return this.#succession?.isReleased === false;
  }

  /** What the process before hands over; undefined where there is none, or where it has died. */
  async inherit(): Promise<string | undefined> {
    this.#succession?.follow(
      (counts) => this.#earlier.absorb(counts),
      () => this.#earlierGone(),
    );
    return this.#succession?.state();
  }

  /** Every listener accepts: the process before is told, and has let go when this resolves. */
  async serve(): Promise<void> {
    const taken = this.sockets.taken;
    this.sockets.closeUnused();
    if (this.#succession === undefined) return;
    this.#wishes?.start();
    await this.#succession.serving(taken);
    const connections = this.#earlierConnections;
    this.#tell(
      'takeover.ended',
      `This process has taken over; ${connections} connections stay with the one before.`,
      {
        generation: this.generation,
        connections,
      },
    );
  }

  /** This process cannot serve: the process before hears why. */
  refuse(error: unknown): void {
    this.#succession?.failed(error instanceof Error ? error.message : String(error));
  }

  view(): TakeoverView {
    const { generation } = this;
    const pid = this.#parts.heritage?.pid ?? 0;
    return { generation, pid, isUnderWay: this.#handover.isUnderWay, earlier: this.#earlier.view() };
  }

  figures(): TakeoverFigures {
    const done = this.#succession?.isReleased === true ? 1 : 0;
    return { generation: this.generation, done, failed: this.#failed, earlier: this.#earlier.view() };
  }

  async begin(by: string): Promise<TakeoverAnswer> {
    this.#refuse();
    const outcome = await this.#handover.begin(by);
    if (!outcome.done) throw new HeraldError('HERALD_TAKEOVER_FAILED', outcome.reason);
    const { pid, tookMs } = outcome;
    return { generation: this.generation + 1, pid, tookMs, connections: this.#parts.openCount() };
  }

  passGate(): Promise<void> {
    return this.#gate.pass();
  }

  /** Ends what is under way; the process before, and the one after, are on their own. Idempotent. */
  stop(): void {
    this.#handover.abort('this process has been told to stop');
    this.#counts?.stop();
    this.#wishes?.stop();
    this.#remainder.stop();
    this.#successor?.disconnect();
    this.#succession?.stop();
  }

  get #earlierConnections(): number {
    return this.#earlier.view().reduce((sum, { connections }) => sum + connections, 0);
  }

  #refuse(): void {
    const { heritage } = this.#parts;
    if (heritage === undefined)
      throw new HeraldError('HERALD_NOT_AVAILABLE', 'this balancer was not started by `herald serve`');
    if (this.#succession?.isReleased === false)
      throw new HeraldError(
        'HERALD_TAKEOVER_FAILED',
        'this process has not taken over yet itself: wait a moment',
      );
    // With it the container ends, and with that the new process and every client.
    if (heritage.pid === 1)
      throw new HeraldError(
        'HERALD_TAKEOVER_FAILED',
        'this is process 1 of its container, which ends with it: replace the container instead (docs/takeover.md)',
      );
  }

  #createHandover(): Handover {
    const { clock, heritage, saved } = this.#parts;
    return new Handover({
      clock,
      spawn: (events) => {
        if (heritage === undefined)
          throw new HeraldError('HERALD_INTERNAL', 'there is nothing to spawn with');
        const sockets = this.sockets.descriptors();
        this.#successor = heritage.spawn({ generation: this.generation + 1, sockets }, events);
        return this.#successor;
      },
      handState: async () => {
        this.#gate.hold();
        this.#beginCounts();
        return (await saved()?.handOver()) ?? '';
      },
      takeBack: () => {
        this.#counts?.stop();
        this.#gate.open();
        saved()?.start();
      },
      release: (taken) => this.#release(taken),
      heard: (message) => {
        const wish = readMessage<ToPredecessor & { type: 'wish' }>(message, 'wish');
        if (wish !== undefined) applyWish(this.#parts, wish.wish);
      },
      began: (by) => this.#tell('takeover.began', 'A new process is being started to take over.', {}, by),
      ended: (outcome, by) => this.#ended(outcome, by),
    });
  }

  #beginCounts(): void {
    const { clock, registry, heritage } = this.#parts;
    this.#counts?.stop();
    this.#counts = new CountsReport({
      clock,
      pools: registry.pools,
      self: { generation: this.generation, pid: heritage?.pid ?? 0 },
      earlier: () => this.#earlier.processes,
      send: (message) => this.#successor?.send(message),
    });
    this.#counts.start();
  }

  async #release(taken: ReadonlySet<string>): Promise<void> {
    this.#gate.close();
    // Whatever goes wrong here, the new process serves: it must hear that it is alone.
    await this.#parts.release(taken).catch((error: unknown) => {
      this.#parts.log.error({ err: error }, 'letting go did not go as it should');
    });
    this.#remainder.start();
    this.#tellReleased();
  }

  #ended(outcome: HandoverOutcome, by: string): void {
    const { log, openCount } = this.#parts;
    if (outcome.done) {
      const { pid, tookMs } = outcome;
      log.info({ pid, tookMs, open: openCount(), by }, 'handed over');
      return;
    }
    this.#failed += 1;
    const { reason } = outcome;
    this.#tell(
      'takeover.failed',
      `The takeover has failed, this process goes on: ${reason}.`,
      { reason },
      by,
    );
  }

  #earlierGone(): void {
    this.#wishes?.stop();
    this.#earlier.clear();
  }

  #tell(type: string, message: string, facts: Record<string, string | number>, by = ''): void {
    const { log, events } = this.#parts;
    log[type === 'takeover.failed' ? 'warn' : 'info']({ type, by, ...facts }, message);
    events.tell({ type, pool: '', node: '', by, why: '', message, facts });
  }
}
