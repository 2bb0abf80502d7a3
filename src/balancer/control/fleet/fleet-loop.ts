// Operations over several balancers: hears what the others do of them, says what is done here, and shows the sums.
// Orders are given in pool-rebalance.ts and taken at the order desk.
import type { Clock } from '../../../core/clock.ts';
import type { OthersView } from '../../../core/rebalance/others.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Operation, RebalanceRequest } from '../../../protocol/operations.ts';
import {
  decodeFleetWord,
  poolOfOperationsChannel,
  type AskWord,
  type HeadWord,
  type PartWord,
  type RenamedWord,
} from '../../../protocol/order-words.ts';
import type { PoolState } from '../../state/pool-state.ts';
import type { DataPlane } from '../../state/ports.ts';
import type { Registry } from '../../state/registry.ts';
import { sharesIn } from '../movable.ts';
import type { OperationEntry, Operations } from '../operations.ts';
import type { Asker, EventFeed } from '../ports.ts';
import type { Shedder } from '../shedder.ts';
import type { Freezes } from '../freezes.ts';
import { Announcements } from './announcements.ts';
import { Asked } from './asked.ts';
import { drainEnded } from '../drain-events.ts';
import { operationEvent } from '../rebalance-events.ts';
import type { Fleet } from './fleet.ts';
import { Heads, type Head } from './heads.ts';
import { OrderCounts } from './order-counts.ts';
import { OrderDesk } from './order-desk.ts';
import { OrderLedger } from './order-ledger.ts';
import { Parts, type OthersDone } from './parts.ts';
import type { RebalanceFleet } from './rebalance-fleet.ts';
import { Speaker } from './speaker.ts';

/** What it is made with. */
export interface FleetLoopDeps {
  readonly fleet: Fleet;
  readonly registry: Registry;
  readonly dataPlane: DataPlane;
  readonly operations: Operations;
  readonly shedder: Shedder;
  readonly freezes: Freezes;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly tell: EventFeed['tell'];
  /** This balancer leads, and an operator asked another one for a rebalance. */
  readonly runAsked: (pool: string, ask: AskWord) => void;
}

/** What this balancer knows of operations of all. */
export class FleetLoop implements RebalanceFleet {
  readonly counts = new OrderCounts();
  readonly #deps: FleetLoopDeps;
  readonly #parts = new Parts();
  readonly #heads: Heads;
  readonly #desk: OrderDesk;
  readonly #asked: Asked;
  readonly #speaker: Speaker;
  readonly #ledgers = new Map<string, OrderLedger>();
  readonly #announcements: Announcements;

  constructor(deps: FleetLoopDeps) {
    this.#deps = deps;
    const { clock, fleet } = deps;
    this.#heads = new Heads(clock);
    this.#announcements = new Announcements(deps);
    this.#desk = new OrderDesk({ ...deps, counts: this.counts });
    this.#asked = new Asked({
      ...deps,
      runHere: deps.runAsked,
      ended: (entry) => this.#tellEnd(this.#withOwner(entry.view(), entry.owner)),
    });
    this.#speaker = new Speaker((pool, word) => fleet.say(pool, word));
  }

  get leads(): boolean {
    return this.#deps.fleet.token() > 0;
  }

  get hasLeader(): boolean {
    return this.#deps.fleet.leader() !== undefined;
  }

  openLedger(pool: string, operation: string): OrderLedger {
    const ledger = new OrderLedger({ ...this.#deps, counts: this.counts, pool, operation });
    this.#ledgers.set(operation, ledger);
    return ledger;
  }

  closeLedger(operation: string): void {
    this.#ledgers.delete(operation);
  }

  sharesIn(pool: PoolState, nowMs: number): OthersView['sharesOf'] {
    return sharesIn(pool, nowMs, (node) => this.#deps.fleet.carriedOn(pool.name, node));
  }

  sheddingIn(pool: string): readonly string[] {
    return this.#runningHeads(pool).flatMap(({ shedding }) => shedding);
  }

  runningElsewhere(pool: string): string | undefined {
    const head = this.#runningHeads(pool).find(({ operation }) => operation.kind === 'rebalance');
    return head?.operation.id ?? this.#asked.waitingIn(pool);
  }

  ask(pool: string, request: RebalanceRequest, asker: Asker): Operation {
    const entry = this.#asked.ask(pool, request, asker);
    return this.#withOwner(entry.view(), entry.owner);
  }

  /** What the others have done of one. */
  othersOf(operation: string): OthersDone {
    return this.#parts.othersOf(operation);
  }

  /** Every operation once: running first, then the newest. */
  list(): readonly Operation[] {
    const { operations } = this.#deps;
    const own = operations.entries.map((entry) => this.#shown(entry));
    const known = new Set(own.map(({ id }) => id));
    const others = this.#heads.all().filter(({ operation }) => !known.has(operation.id));
    const all = [...own, ...others.map((head) => this.#heads.view(head))];
    return all.toSorted((a, b) => placeOf(a) - placeOf(b) || (a.startedAt < b.startedAt ? 1 : -1));
  }

  /** HERALD_OPERATION_UNKNOWN. */
  get(id: string): Operation {
    const { operations } = this.#deps;
    const entry = operations.find(id);
    if (entry !== undefined) return this.#shown(entry);
    const head = this.#heads.get(operations.idNow(id));
    return head === undefined ? operations.get(id).view() : this.#heads.view(head);
  }

  /** Ends it everywhere: whoever runs it hears of it, and so does everybody who has a part of it. */
  cancel(id: string, reason: string): void {
    const { operations } = this.#deps;
    const entry = operations.find(id);
    const head = this.#heads.get(operations.idNow(id));
    if (entry === undefined && head === undefined) return void operations.get(id);
    const { pool, state } = this.get(id);
    if (state !== 'running') return;
    entry?.cancel(reason);
    if (entry?.owner === undefined && head === undefined) return;
    const now = entry?.id ?? id;
    this.#heads.cancel(now, reason);
    this.#desk.end(now);
    this.#announcements.cancel(now, pool, reason);
  }

  /** This balancer's part of a drain that another one runs is over. The end is told when the whole is. */
  partEnded(entry: OperationEntry): void {
    const head = this.#heads.get(entry.id);
    const isAwaited = head === undefined ? this.#isHere(entry.owner) : head.operation.state === 'running';
    if (!isAwaited) this.#tellEnd(this.#shown(entry));
  }

  /** As `SharedHandlers.word`. */
  hearWord(from: string, channel: string, text: string): void {
    const pool = poolOfOperationsChannel(channel);
    const word = pool === undefined ? undefined : decodeFleetWord(text);
    // Of somebody who is not here nothing would ever end.
    if (pool === undefined || word === undefined || !this.#deps.fleet.isHere(from)) return;
    if (word.kind === 'order') return this.#desk.hear(from, pool, word);
    if (word.kind === 'part') return this.#hearPart(from, pool, word);
    if (word.kind === 'head') return this.#hearHead(from, pool, word);
    if (word.kind === 'renamed') return this.#hearRename(word);
    if (word.kind === 'cancel') return this.#hearCancel(word.operation, word.reason);
    const { fleet, runAsked } = this.#deps;
    if (word.to !== fleet.selfId) return;
    if (word.kind === 'ask' && this.leads) runAsked(pool, word);
    if (word.kind !== 'refused') return;
    fleet.see(word.token);
    this.#ledgers.get(word.operation)?.refused(from, word.id);
  }

  /** A drain of this balancer goes on as part of another's: whoever has heard of it by its old id must know. */
  renamed(pool: string, operation: string, to: string): void {
    this.#announcements.rename(operation, pool, to);
  }

  /** A balancer has come. */
  peerCame(): void {
    this.#speaker.greet();
  }

  /** A balancer is gone: nobody waits for what it was doing. */
  peerGone(peer: string): void {
    this.#parts.peerGone(peer);
    this.#desk.ownerGone(peer);
    for (const ledger of this.#ledgers.values()) ledger.forget(peer);
    for (const head of this.#heads.ownerGone(peer)) {
      const entry = this.#deps.operations.find(head.operation.id);
      // What is left of a drain goes on by itself, and ends by itself.
      if (entry?.view().state !== 'running') this.#tellEnd(this.get(head.operation.id));
    }
  }

  /** Says what is due; before the counts, every tenth of a second. */
  speak(isWhole: boolean): void {
    this.#speaker.speak(this.#deps.operations.entries, this.#desk.words(), isWhole);
    if (!isWhole) return;
    this.#asked.tick();
    this.#announcements.tick((id) => this.#heads.get(id)?.operation.state !== 'running');
  }

  #runningHeads(pool: string): readonly Head[] {
    return this.#heads
      .all()
      .filter(({ operation }) => operation.pool === pool && operation.state === 'running');
  }

  #isHere(peer: string | undefined): boolean {
    return peer !== undefined && this.#deps.fleet.isHere(peer);
  }

  #withOwner(operation: Operation, owner = this.#deps.fleet.selfId): Operation {
    return { ...operation, owner };
  }

  /** One that has an entry here: as its owner tells it, as long as somebody owns it. */
  #shown(entry: OperationEntry): Operation {
    const head = entry.owner === undefined ? undefined : this.#heads.get(entry.id);
    const own = this.#withOwner(entry.view(), entry.owner);
    if (head === undefined || head.wasLeft) return own;
    const isOver = head.operation.state !== 'running';
    return isOver && own.state === 'running' ? own : this.#heads.view(head);
  }

  #hearPart(from: string, pool: string, word: PartWord): void {
    const { shedder, clock, registry } = this.#deps;
    const count = this.#parts.hear(from, word);
    const ledger = this.#ledgers.get(word.operation);
    ledger?.hear(from, word);
    // The leader of a rebalance knows better what they were, and counts them by it.
    if (count === 0 || ledger !== undefined || !registry.pools.has(pool)) return;
    const owner = `${word.operation}@${from}`;
    const out = [{ owner, atMs: clock.nowMs(), nodeId: '', count, work: 1 }];
    // Else two balancers would both take the same arrivals for their own.
    shedder.returns(pool).shed(out, { cameBack() {} });
  }

  #hearHead(from: string, pool: string, word: HeadWord): void {
    const { id, state, kind, reason } = word.operation;
    const { operations, fleet, tell } = this.#deps;
    const mayStand = this.#asked.answered(id);
    const entry = operations.find(id);
    // Nobody else runs what this one does.
    if (entry !== undefined && entry.owner === undefined) return;
    const { head, began, ended } = this.#heads.hear(from, pool, word);
    if (!mayStand && state === 'running')
      fleet.say(pool, { kind: 'cancel', operation: id, reason: 'given up by who asked for it' });
    if (began && state === 'running' && kind === 'rebalance')
      tell(operationEvent('operation.started', head.operation));
    if (state === 'running') return;
    this.#desk.end(id);
    // Whoever was cut off from it still has connections to shed: then the end is told with that of its part.
    const isAtWork = entry?.view().state === 'running';
    if (state === 'cancelled') entry?.cancel(reason);
    if (ended && !isAtWork) this.#tellEnd(head.operation);
  }

  #hearRename({ operation, to }: RenamedWord): void {
    this.#heads.forget(operation);
    this.#deps.operations.noteRename(operation, to);
  }

  #hearCancel(operation: string, reason: string): void {
    this.#desk.end(operation);
    const entry = this.#deps.operations.find(operation);
    if (entry?.view().state === 'running') entry.cancel(reason);
  }

  #tellEnd(operation: Operation): void {
    const isDrain = operation.kind === 'drain';
    this.#deps.tell(isDrain ? drainEnded(operation) : operationEvent('operation.ended', operation));
  }
}

function placeOf({ state }: Operation): number {
  return state === 'running' ? 0 : 1;
}
