// The loops behind the Control port: drains, rebalances, freezes and their operations, one tick for all. No sockets
// here.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Rng } from '../../core/rng.ts';
import type {
  AdminStateAnswer,
  AdminStateRequest,
  FreezeState,
  Operation,
  RebalanceAnswer,
  RebalanceRequest,
} from '../../protocol/operations.ts';
import type { NodeRecord } from '../state/node-record.ts';
import type { PoolState } from '../state/pool-state.ts';
import type { DataPlane, StateSection } from '../state/ports.ts';
import type { Registry } from '../state/registry.ts';
import type { AskWord } from '../../protocol/order-words.ts';
import { createControlSection } from './control-section.ts';
import { checkRequest, nodesOf } from './drain-check.ts';
import { drainAsked, drainEnded } from './drain-events.ts';
import type { Drain } from './drain.ts';
import { Drains } from './drains.ts';
import type { Fleet } from './fleet/fleet.ts';
import { FleetLoop } from './fleet/fleet-loop.ts';
import type { OrderCount } from './fleet/order-counts.ts';
import { nothingDone } from './fleet/parts.ts';
import { Freezes } from './freezes.ts';
import { Operations, type EndedCount, type OperationEntry } from './operations.ts';
import type { Asker, Control, EventFeed } from './ports.ts';
import { Rebalances } from './rebalances.ts';
import { Shedder, type ShedCount } from './shedder.ts';

/** Hears what an operator asks of this balancer, once it is done. */
export interface ControlListener {
  adminState(pool: string, nodes: Iterable<string>, wished: AdminStateRequest & Asker): void;
  freeze(pool: string | undefined, wished: { readonly frozen: boolean; readonly why: string } & Asker): void;
}

/** What every loop that sheds shares. */
export interface SharedLoops {
  readonly operations: Operations;
  readonly shedder: Shedder;
  readonly freezes: Freezes;
}

/** What control is made with. */
export interface ControlDeps {
  readonly registry: Registry;
  readonly dataPlane: DataPlane;
  readonly clock: Clock;
  readonly rng: Rng;
  readonly tell: EventFeed['tell'];
  /** Whether this balancer may act by itself, for all; left out, it always may. */
  readonly isLeader?: () => boolean;
}

/** What metrics read. */
export interface ControlFigures {
  readonly running: readonly Operation[];
  readonly ended: Iterable<EndedCount>;
  readonly sheds: readonly ShedCount[];
  readonly orders: readonly OrderCount[];
  /** Whether automatic actions on a pool are stopped. */
  isFrozen(pool: string): boolean;
}

// Four decisions a second: a rate of 100/s is asked in portions of 25, and a quarter of a second is quick for people.
const tickMs = 250;
const maxTickMs = 1000;

/** Control with a lifetime: its section is restored, then `start`, then `stop`. */
export class RunningControl implements Control {
  readonly shared: SharedLoops;
  /** What survives a restart: admin states, drains, freezes. */
  readonly section: StateSection;
  readonly #deps: ControlDeps;
  readonly #drains: Drains;
  readonly #rebalances: Rebalances;
  /** Who tells it to peers; undefined: there are none. */
  listener: ControlListener | undefined;
  #fleet: FleetLoop | undefined;
  #timer: Timer | undefined;
  #tickedAtMs: number;
  #isRetired = false;

  constructor(deps: ControlDeps) {
    this.#deps = deps;
    this.#tickedAtMs = deps.clock.nowMs();
    const shared = {
      operations: new Operations(deps),
      shedder: new Shedder(deps),
      freezes: new Freezes(deps.clock),
    };
    this.shared = shared;
    const othersOf = (operation: string) => this.#fleet?.othersOf(operation) ?? nothingDone;
    const renamed = (...drain: [string, string, string]) => this.#fleet?.renamed(...drain);
    const drainParts = { ...deps, shedder: shared.shedder, othersOf, renamed };
    this.#drains = new Drains(drainParts, shared.operations, (drain) => this.#drainEnded(drain));
    const fleet = () => this.#fleet;
    this.#rebalances = new Rebalances({ isLeader: () => true, ...deps, ...shared, fleet });
    this.section = createControlSection({ ...deps, ...shared, drains: this.#drains });
  }

  /** From now on operations are those of all balancers. */
  join(fleet: Fleet): FleetLoop {
    const { shared } = this;
    const runAsked = (pool: string, ask: AskWord) => {
      if (!this.#isRetired) this.#rebalances.asked(pool, ask);
    };
    this.#fleet = new FleetLoop({ ...this.#deps, ...shared, fleet, runAsked });
    return this.#fleet;
  }

  /** Begins to tick. */
  start(): void {
    this.#tickedAtMs = this.#deps.clock.nowMs();
    this.#timer = this.#deps.clock.repeat(tickMs, () => this.#tick());
  }

  /** Asks nobody any more; what is running stays as it is, for the next process to go on with. Idempotent. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Rebalances nothing any more: another process places. Drains go on. */
  retire(): void {
    this.#isRetired = true;
  }

  /** The instant of the clock by which a drain under way empties this node; undefined for none. */
  drainDeadlineAtMs(pool: string, node: string): number | undefined {
    return this.#drains.of(pool, node)?.nodes.get(node)?.deadlineAtMs;
  }

  setAdminState(ids: readonly string[], request: AdminStateRequest, asker: Asker): AdminStateAnswer {
    const { pool, nodes } = nodesOf(this.#deps.registry, ids, request.adminState);
    checkRequest(request);
    if (request.adminState === 'drain') return this.#beginDrain({ pool, nodes, request }, asker);
    const { adminState, why = '' } = request;
    const answer = { nodes: [...nodes.keys()], adminState, operation: null, forecast: null };
    if (request.dryRun === true) return answer;
    for (const id of nodes.keys()) {
      this.#deps.registry.setAdminState(id, adminState, { by: asker.by, why });
      // The state first: an event that says that a drain ended finds the node as it is.
      this.#drains
        .of(pool.name, id)
        ?.release(id, `${asker.by} set node '${id}' to ${adminState}${said(why)}`);
    }
    this.listener?.adminState(pool.name, nodes.keys(), { ...request, ...asker });
    return answer;
  }

  async refreshed(pool: string): Promise<void> {
    await this.#deps.dataPlane.refresh?.(pool);
  }

  rebalance(pool: string, request: RebalanceRequest, asker: Asker): RebalanceAnswer {
    return this.#rebalances.request(pool, request, asker);
  }

  operations(): readonly Operation[] {
    return this.#fleet?.list() ?? this.shared.operations.list();
  }

  operation(id: string): Operation {
    return this.#fleet?.get(id) ?? this.shared.operations.get(id).view();
  }

  cancel(id: string, asker: Asker & { readonly why: string }): Operation {
    const reason = `cancelled by ${asker.by}${said(asker.why)}`;
    if (this.#fleet === undefined) this.shared.operations.get(id).cancel(reason);
    else this.#fleet.cancel(id, reason);
    return this.operation(id);
  }

  freezeState(pool: string | undefined): FreezeState {
    if (pool !== undefined) this.#deps.registry.pool(pool);
    return this.shared.freezes.state(pool);
  }

  setFrozen(
    pool: string | undefined,
    { frozen, why }: { readonly frozen: boolean; readonly why: string },
    { by }: Asker,
  ): FreezeState {
    if (pool !== undefined) this.#deps.registry.pool(pool);
    if (this.shared.freezes.set(pool, { frozen, by, why })) {
      const where = pool === undefined ? 'every pool' : `pool '${pool}'`;
      const message = frozen
        ? `automatic actions on ${where} are stopped`
        : `automatic actions on ${where} may go on`;
      const type = frozen ? 'freeze.began' : 'freeze.ended';
      this.#deps.tell({ type, pool: pool ?? '', node: '', by, why, message, facts: {} });
      this.listener?.freeze(pool, { frozen, why, by });
    }
    return this.shared.freezes.state(pool);
  }

  /** What the answer to a node's report asks its application for; undefined for nothing. Told once. */
  takeShed(pool: string, node: string): { readonly count: number; readonly byMs: number } | undefined {
    return this.#drains.takeAsk(pool, node);
  }

  figures(): ControlFigures {
    const { operations, shedder, freezes } = this.shared;
    return {
      running: operations.running.map((entry) => ownPartOf(entry)),
      ended: operations.endedCounts(),
      sheds: shedder.counts(),
      orders: this.#fleet?.counts.all() ?? [],
      isFrozen: (pool) => freezes.isFrozen(pool),
    };
  }

  #tick(): void {
    const nowMs = this.#deps.clock.nowMs();
    // A process that stood still must not make up for it at once.
    const elapsedMs = Math.min(maxTickMs, nowMs - this.#tickedAtMs);
    if (elapsedMs <= 0) return;
    this.#tickedAtMs = nowMs;
    this.shared.shedder.tick();
    this.#drains.tick(elapsedMs);
    if (!this.#isRetired) this.#rebalances.tick();
  }

  #beginDrain(
    wish: { pool: PoolState; nodes: ReadonlyMap<string, NodeRecord>; request: AdminStateRequest },
    asker: Asker,
  ): AdminStateAnswer {
    const { by, operation: named } = asker;
    const { drain, forecast = null, isNew } = this.#drains.begin({ ...wish, by, operation: named });
    const answer = { nodes: [...wish.nodes.keys()], adminState: 'drain' as const, forecast };
    if (drain === undefined) return { ...answer, operation: null };
    const operation = this.operation(drain.id);
    this.#deps.tell(drainAsked(operation, { by, request: wish.request, isNew }));
    const { id, owner } = operation;
    const begun = owner === undefined ? undefined : { operation: { id, owner } };
    this.listener?.adminState(wish.pool.name, wish.nodes.keys(), { ...wish.request, by, ...begun });
    return { ...answer, operation };
  }

  #drainEnded(drain: Drain): void {
    if (this.#fleet !== undefined && drain.owner !== undefined) return this.#fleet.partEnded(drain);
    this.#deps.tell(drainEnded(this.operation(drain.id)));
  }
}

/** Metrics of several balancers are added up: each tells of its own connections. */
function ownPartOf(entry: OperationEntry): Operation {
  const operation = entry.view();
  return { ...operation, progress: entry.ownProgress ?? operation.progress };
}

function said(why: string): string {
  return why === '' ? '' : `: ${why}`;
}
