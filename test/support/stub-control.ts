// A control that does what a test needs and keeps what it was asked: the real one is in src/balancer/control.
import type { Asker, Control } from '../../src/balancer/control/ports.ts';
import { HeraldError } from '../../src/core/error.ts';
import type {
  AdminStateRequest,
  FreezeState,
  Operation,
  RebalanceRequest,
} from '../../src/protocol/operations.ts';

/** One call of a method that changes something. */
export interface Asked {
  readonly method: 'setAdminState' | 'rebalance' | 'cancel' | 'setFrozen';
  readonly target: unknown;
  readonly request: unknown;
  readonly by: string;
}

export interface StubControl extends Control {
  readonly asked: Asked[];
  /** Adds an operation that runs. */
  addOperation(parts?: Partial<Operation>): Operation;
  /** Ends an operation. */
  finish(id: string, state: Operation['state']): void;
  /** What the next change throws. */
  refusal: HeraldError | undefined;
}

const notFrozen: FreezeState = { frozen: false, by: '', why: '', since: null };

/** `poolOf` tells the pool of a node. */
export function aStubControl(poolOf: (node: string) => string = () => 'chat'): StubControl {
  const operations = new Map<string, Operation>();
  const freezes = new Map<string, FreezeState>();
  const asked: Asked[] = [];
  const stub: StubControl = {
    asked,
    refusal: undefined,
    refreshed: async () => undefined,
    addOperation(parts = {}) {
      const operation = anOperation({ id: `op-${operations.size + 1}`, ...parts });
      operations.set(operation.id, operation);
      return operation;
    },
    finish(id, state) {
      operations.set(id, { ...stub.operation(id), state, endedAt: '2026-01-01T00:01:00.000Z' });
    },
    setAdminState(nodes, request: AdminStateRequest, { by }: Asker) {
      note('setAdminState', nodes, request, by);
      const isBegun = request.adminState === 'drain' && request.dryRun !== true;
      const [first = ''] = nodes;
      const operation = isBegun ? stub.addOperation({ nodes, pool: poolOf(first), by }) : null;
      return { nodes, adminState: request.adminState, operation, forecast: null };
    },
    rebalance(pool, request: RebalanceRequest, { by }: Asker) {
      note('rebalance', pool, request, by);
      const operation = request.dryRun === true ? null : stub.addOperation({ kind: 'rebalance', pool, by });
      return {
        operation,
        moves: [],
        imbalance: { now: 1.2, predicted: 1.1 },
        sentence: 'It would level.',
        refusal: null,
      };
    },
    operations: () => [...operations.values()],
    operation(id) {
      const found = operations.get(id);
      if (found === undefined)
        throw new HeraldError('HERALD_OPERATION_UNKNOWN', `there is no operation '${id}'`);
      return found;
    },
    cancel(id, { by, why }) {
      note('cancel', id, { why }, by);
      stub.finish(id, 'cancelled');
      return stub.operation(id);
    },
    freezeState: (pool) => freezes.get(pool ?? '') ?? notFrozen,
    setFrozen(pool, { frozen, why }, { by }) {
      note('setFrozen', pool, { frozen, why }, by);
      const state = frozen ? { frozen, by, why, since: '2026-01-01T00:00:00.000Z' } : notFrozen;
      freezes.set(pool ?? '', state);
      return state;
    },
  };
  const note = (method: Asked['method'], target: unknown, request: unknown, by: string) => {
    const { refusal } = stub;
    stub.refusal = undefined;
    if (refusal !== undefined) throw refusal;
    asked.push({ method, target, request, by });
  };
  return stub;
}

/** A drain of node `a` that has just begun. */
function anOperation(parts: Partial<Operation>): Operation {
  return {
    id: 'op-1',
    kind: 'drain',
    pool: 'chat',
    nodes: ['a'],
    state: 'running',
    reason: 'Just begun.',
    by: 'local',
    why: '',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: null,
    deadlineAt: '2026-01-01T00:10:00.000Z',
    etaMs: null,
    ratePerSecond: 0,
    progress: {
      total: 10,
      waiting: 10,
      leaving: 0,
      closed: 0,
      cut: 0,
      refusedByPeer: 0,
      leftByThemselves: 0,
      returned: 0,
    },
    imbalance: { before: null, now: null, predicted: null },
    ...parts,
  };
}
