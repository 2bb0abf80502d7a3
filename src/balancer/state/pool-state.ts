// One pool: its nodes, its counts, and the assessment that placements share until something has changed.
import { assess, type Assessment } from '../../core/assess.ts';
import type { NodeCounters } from '../../core/node-counters.ts';
import { noPeers, partOfRates, type PoolPeers } from '../../core/peer-counts.ts';
import { createPicker, type Picker } from '../../core/pick/picker.ts';
import { createEligibleSum } from '../../core/pick/eligible-sum.ts';
import { createRendezvous } from '../../core/pick/rendezvous.ts';
import { amountWhenFull } from '../../core/moments.ts';
import type { Rng } from '../../core/rng.ts';
import type { PoolSnapshot, Visibility } from '../../core/snapshot.ts';
import type { Policy } from '../../policy/policy.ts';
import { PoolAdmission, type AdmissionFigures } from './admission.ts';
import { ArrivalRate } from './arrival-rate.ts';
import { ConnectionTable } from './connection-table.ts';
import { affinityOutcomes, type AffinityOutcome } from './kept-node.ts';
import { NodeOrder } from './node-order.ts';
import type { NodeRecord } from './node-record.ts';
import type { Notify } from './notice.ts';

/** What the pool's own rate lets in: in a storm the rest is not of the next arrivals. */
function admitted({ admit }: Policy): number {
  return admit.ratePerSecond === 'off' ? Infinity : admit.ratePerSecond;
}

// Shares are computed at most this often, however many reports and placements come. In a large pool each report moves them
// all the less, so that it makes them less often, and they cost about the same of a processor for ten thousand nodes.
const leastAssessmentAgeMs = 50;
const assessmentAgeMsPerNode = 0.1;
const mostAssessmentAgeMs = 1000;
// Shares are made for so many arrivals and no more: the hundredth of a storm's first millisecond must not go where
// the first went. The factor that each storm multiplies what is expected by keeps this to a few assessments.
const leastPlacedOn = 8;

/** Nothing has come of affinity yet. */
export function noAffinities(): Record<AffinityOutcome, number> {
  // Proof of `as`: every outcome is a key.
  return Object.fromEntries(affinityOutcomes.map((outcome) => [outcome, 0])) as Record<
    AffinityOutcome,
    number
  >;
}

/** What other processes of this machine say of a pool whose connections they relay. */
export interface CarriedElsewhere {
  /** Of an average connection. */
  readonly meanMessagesPerSecond: number;
  readonly admission: AdmissionFigures;
  readonly affinities: Readonly<Record<AffinityOutcome, number>>;
}

/** What the registry knows of one pool. */
export class PoolState {
  readonly name: string;
  readonly nodes = new Map<string, NodeRecord>();
  readonly order = new NodeOrder(this.nodes);
  readonly table = new ConnectionTable();
  readonly arrivals: ArrivalRate;
  /** Where hashed clients belong. */
  readonly rendezvous = createRendezvous();
  /** What a bound of hashed clients is a part of. */
  readonly sumOfEligible = createEligibleSum();
  /** What came of affinity, for every client that had a node of its own. */
  readonly affinities = noAffinities();
  readonly admission: PoolAdmission;
  // Counts of removed nodes that still carry connections: the sweep needs all that own slots.
  readonly #departed = new Set<NodeCounters>();
  readonly #visibility: Visibility;
  readonly #rng: Rng;
  #policy: Policy;
  #ownPart: Policy;
  #peers = noPeers;
  #picker: Picker;
  #assessment: Assessment | undefined;
  #isDirty = true;
  #gained = 0;
  #isPanicking = false;
  /** Undefined: this process relays itself, and its table has everything. */
  elsewhere: CarriedElsewhere | undefined;
  readonly #notify: Notify;
  /** Connections and exchanges of this process, dialled or open. */
  connections = 0;
  /** The same of other processes that relay for this balancer, as last told. */
  siblingConnections = 0;
  /** Times that placing had to go on without load data. */
  panicsTotal = 0;

  constructor(
    name: string,
    policy: Policy,
    context: { rng: Rng; visibility: Visibility; nowMs: number; notify: Notify },
  ) {
    this.name = name;
    this.#policy = policy;
    this.#ownPart = policy;
    this.#rng = context.rng;
    this.#notify = context.notify;
    this.#visibility = context.visibility;
    this.#picker = createPicker(policy.place.picker, context.rng);
    this.arrivals = new ArrivalRate(context.nowMs);
    this.admission = new PoolAdmission(name, context);
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** The policy, with limits in time that are this balancer's part of them. */
  get ownPart(): Policy {
    return this.#ownPart;
  }

  /** What the other balancers do in this pool. */
  get peers(): PoolPeers {
    return this.#peers;
  }

  set peers(peers: PoolPeers) {
    if (peers.balancers !== this.#peers.balancers) this.#ownPart = partOfRates(this.#policy, peers.balancers);
    this.#peers = peers;
    this.markDirty();
  }

  /** Connections of this process that have come since the assessment, less those gone. */
  get gained(): number {
    return this.#gained;
  }

  get picker(): Picker {
    return this.#picker;
  }

  /** Swaps the policy whole. The picker starts afresh only when another one is named. */
  replacePolicy(policy: Policy): void {
    if (policy.place.picker !== this.#policy.place.picker) {
      this.#picker = createPicker(policy.place.picker, this.#rng);
    }
    this.#policy = policy;
    this.#ownPart = partOfRates(policy, this.#peers.balancers);
    this.markDirty();
  }

  /** Forgets a node. Its connections are counted on until the last has ended. */
  remove(id: string): void {
    const counters = this.nodes.get(id)?.counters;
    if (counters !== undefined && counters.ownConnections > 0) this.#departed.add(counters);
    this.nodes.delete(id);
    this.discardAssessment();
  }

  /** Says that the next placement needs a new assessment. */
  markDirty(): void {
    this.#isDirty = true;
  }

  /** Says that nodes or their states have changed: the next placement may not use the old assessment at all. */
  discardAssessment(): void {
    this.#assessment = undefined;
    this.order.changed();
  }

  /** The assessment to place by: the last one while it is fresh or nothing has changed. */
  assessment(nowMs: number): Assessment {
    const last = this.#assessment;
    if (last !== undefined && (!this.#isDirty || this.#isFresh(last, nowMs))) return last;
    const next = assess(this.snapshot(nowMs), this.#policy, last);
    this.#notePanic(next);
    this.#assessment = next;
    this.#isDirty = false;
    this.#gained = 0;
    this.#noteSaturations(next);
    return next;
  }

  /** Reports that come next are read by what the whole pool has taught so far. */
  #noteSaturations({ snapshot, throughputs }: Assessment): void {
    snapshot.nodes.forEach(({ id }, index) => {
      const node = this.nodes.get(id);
      if (node !== undefined) node.autoSaturation = amountWhenFull(throughputs, index);
    });
  }

  #isFresh({ snapshot, arrivals }: Assessment, nowMs: number): boolean {
    // The shares are for the arrivals of all balancers; this one spends its part of them.
    const isSpent = this.#gained >= leastPlacedOn && this.#gained >= arrivals * this.#ownPartOfArrivals();
    return !isSpent && nowMs - snapshot.atMs < this.#assessmentAgeMs();
  }

  // Methods, not getters: V8 calls its runtime for each read of a private getter, and this is on the way of a placement.
  #assessmentAgeMs(): number {
    const byNodes = Math.min(mostAssessmentAgeMs, assessmentAgeMsPerNode * this.nodes.size);
    return Math.max(leastAssessmentAgeMs, byNodes);
  }

  /** 0..1; 1 without peers, and where nobody comes anywhere. */
  #ownPartOfArrivals(): number {
    const { arrivalsPerSecond } = this.#peers;
    const own = this.arrivals.perSecond;
    return arrivalsPerSecond === 0 ? 1 : own / (own + arrivalsPerSecond);
  }

  /** Says that a connection has come (1) or gone (-1). */
  noteConnection(change: 1 | -1): void {
    this.connections += change;
    this.#gained += change;
    this.#isDirty = true;
  }

  #notePanic({ panic, basis }: Assessment): void {
    if (panic === this.#isPanicking) return;
    this.#isPanicking = panic;
    if (panic) this.panicsTotal += 1;
    this.#notify(panic ? 'panic began' : 'panic ended', { pool: this.name, basis });
  }

  snapshot(nowMs: number): PoolSnapshot {
    return Object.freeze({
      pool: this.name,
      atMs: nowMs,
      nodes: Object.freeze([...this.nodes.values()].map((node) => node.view(nowMs))),
      visibility: this.#visibility,
      arrivalsPerSecond: Math.min(
        this.arrivals.perSecond + this.#peers.arrivalsPerSecond,
        admitted(this.#policy),
      ),
      admission: this.admission.view(nowMs),
      messagesPerSecondPerConnection:
        this.elsewhere?.meanMessagesPerSecond ?? this.table.meanMessagesPerSecond,
    });
  }

  /** Notes counts and brings rates up to date; `sweep` also looks through the connections. */
  tick(nowMs: number, sweep: boolean): void {
    this.arrivals.tick(nowMs);
    // What others relay they sum up, too.
    if (sweep && this.elsewhere === undefined) this.#sweep(nowMs);
    for (const { counters } of this.nodes.values()) counters.record(nowMs);
    this.markDirty();
  }

  #sweep(nowMs: number): void {
    const here = [...this.nodes.values()].map(({ counters }) => counters);
    this.table.sweep(nowMs, [...here, ...this.#departed]);
    for (const counters of this.#departed) if (counters.ownConnections === 0) this.#departed.delete(counters);
  }
}
