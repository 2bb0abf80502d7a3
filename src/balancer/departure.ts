// The old process's side of a takeover, wired: what it hands over and when, and what it tells of itself afterwards. The
// decisions are in takeover/.
import { HeraldError } from '../core/error.ts';
import type { ListeningSockets } from '../platform/listening-sockets.ts';
import type { PeerPlace } from './state/shared-store.ts';
import type { TakeoverParts } from './takeover-wiring.ts';
import { ChangeGate } from './takeover/change-gate.ts';
import { CountsReport } from './takeover/counts.ts';
import { Handover, type HandoverOutcome, type Successor } from './takeover/handover.ts';
import { readMessage, type ProcessCounts, type Serving, type ToPredecessor } from './takeover/messages.ts';
import { Remainder } from './takeover/remainder.ts';
import { applyWish } from './takeover/wishes.ts';

/** What a departure acts on beside the balancer. */
export interface DepartureParts extends TakeoverParts {
  readonly generation: number;
  readonly sockets: ListeningSockets;
  /** What processes before this one relay. */
  readonly earlier: () => readonly ProcessCounts[];
  /** One of them lives, and is known to the new process through this one only. */
  readonly hasEarlier: () => boolean;
  readonly tell: (type: string, message: string, facts: Record<string, string | number>, by?: string) => void;
}

/** Being replaced, with a lifetime: `begin` whenever asked, `stop` once. */
export class Departure {
  /** Resolves when the new process has the listeners. */
  readonly released: Promise<void>;
  /** Resolves when nothing is left to relay here, or the time for it is over. */
  readonly retired: Promise<void>;
  /** Where changes wait while the state is on its way. */
  readonly gate = new ChangeGate();
  readonly #parts: DepartureParts;
  readonly #handover: Handover;
  readonly #remainder: Remainder;
  #counts: CountsReport | undefined;
  #successor: Successor | undefined;
  /** The new process is known to whoever watches over the service; until then the end of this one is its end. */
  #isSettled = false;
  #tellReleased: () => void = () => {};
  /** New processes that could not take over. */
  failed = 0;

  constructor(parts: DepartureParts) {
    const { clock, openCount, hasEarlier, relayForMs } = parts;
    this.#parts = parts;
    this.released = new Promise((resolve) => (this.#tellReleased = resolve));
    // Who passes the counts of those before it on stays as long as they do.
    const count = () => openCount() + (hasEarlier() ? 1 : 0) + (this.#isSettled ? 0 : 1);
    this.#remainder = new Remainder({ clock, count, relayForMs });
    this.retired = this.#remainder.over;
    this.#handover = this.#createHandover();
  }

  get isUnderWay(): boolean {
    return this.#handover.isUnderWay;
  }

  /** As `Handover.begin`. */
  begin(by: string): Promise<HandoverOutcome> {
    return this.#handover.begin(by);
  }

  /** Ends what is under way, and lets go of the process after this one. Idempotent. */
  stop(): void {
    this.#handover.abort('this process has been told to stop');
    this.#counts?.stop();
    this.#remainder.stop();
    this.#successor?.disconnect();
  }

  #createHandover(): Handover {
    const { clock, heritage, saved, sockets, generation, tell } = this.#parts;
    return new Handover({
      clock,
      spawn: (events) => {
        if (heritage === undefined)
          throw new HeraldError('HERALD_INTERNAL', 'there is nothing to spawn with');
        const inherited = { generation: generation + 1, sockets: sockets.descriptors() };
        this.#successor = heritage.spawn(inherited, events);
        return this.#successor;
      },
      handState: async () => {
        this.gate.hold();
        const peer = await this.#parts.shared()?.handOver();
        this.#beginCounts();
        return { type: 'state', text: (await saved()?.handOver()) ?? '', peer };
      },
      takeBack: () => {
        this.#counts?.stop();
        this.gate.open();
        saved()?.start();
      },
      release: (serving) => this.#release(serving),
      heard: (message) => this.#heard(message),
      successorEnded: (how) => {
        this.#isSettled = true;
        this.#parts.log.error(
          { pid: this.#successor?.pid, open: this.#parts.openCount() },
          `the new process ${how}`,
        );
      },
      began: (by) => tell('takeover.began', 'A new process is being started to take over.', {}, by),
      ended: (outcome, by) => this.#ended(outcome, by),
    });
  }

  #heard(message: unknown): void {
    if (readMessage(message, 'settled') !== undefined) this.#isSettled = true;
    const wish = readMessage<ToPredecessor & { type: 'wish' }>(message, 'wish');
    if (wish !== undefined) applyWish(this.#parts, wish.wish);
  }

  /** Before the state, so that the new process never places without them. */
  #beginCounts(): void {
    const { clock, registry, heritage, generation, earlier } = this.#parts;
    this.#counts?.stop();
    this.#counts = new CountsReport({
      clock,
      pools: registry.pools,
      self: { generation, pid: heritage?.pid ?? 0 },
      earlier,
      send: (message) => this.#successor?.send(message),
    });
    this.#counts.start();
  }

  async #release({ taken, peer }: Serving): Promise<void> {
    this.gate.close();
    // Whatever goes wrong here, the new process serves: it must hear that it is alone.
    await this.#letGo(new Set(taken), peer).catch((error: unknown) => {
      this.#parts.log.error({ err: error }, 'letting go did not go as it should');
    });
    // The first thing that the new process says to others has everything in it.
    this.#counts?.tell();
    this.#remainder.start();
    this.#tellReleased();
  }

  async #letGo(taken: ReadonlySet<string>, peer: PeerPlace | undefined): Promise<void> {
    // Not one after the other where the first fails: nobody but the new process may be this peer.
    const ends = await Promise.allSettled([this.#parts.release(taken), this.#parts.shared()?.leave(peer)]);
    for (const end of ends) if (end.status === 'rejected') throw end.reason;
  }

  #ended(outcome: HandoverOutcome, by: string): void {
    const { log, openCount, tell } = this.#parts;
    if (outcome.done) {
      const { pid, tookMs } = outcome;
      log.info({ pid, tookMs: Math.round(tookMs), open: openCount(), by }, 'handed over');
      return;
    }
    this.failed += 1;
    const { reason } = outcome;
    tell('takeover.failed', `The takeover has failed, this process goes on: ${reason}.`, { reason }, by);
  }
}
