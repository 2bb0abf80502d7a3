// A placement that takes its nodes in turn and keeps every lease, so that tests see how each was settled.
import type {
  Carrier,
  DialFailure,
  Lease,
  PlacedNode,
  Placement,
  PlaceRequest,
  PlaceResult,
} from '../../src/balancer/state/ports.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { cookies } from './a-policy.ts';

/** One lease as it was lived. */
export interface LeaseRecord {
  readonly nodeId: string;
  readonly affinityNode: string;
  isOpened: boolean;
  settled: 'no' | 'released' | DialFailure;
  /** Who said that it carries the connection. */
  carrier: Carrier | undefined;
  toNode: { messages: number; bytes: number };
  toClient: { messages: number; bytes: number };
}

/** The parts of a policy that the proxy reads. */
export interface StubPolicy {
  readonly attempts?: number;
  /** Name of the affinity cookie; absent: no affinity. */
  readonly cookie?: string;
  /** Nodes in turn; otherwise always the first that is left. */
  readonly spread?: boolean;
}

/** Placement over `nodes`, in order; a known affinity node first. */
export class StubPlacement implements Placement {
  readonly leases: LeaseRecord[] = [];
  readonly #nodes: readonly PlacedNode[];
  readonly #policy: Policy;
  readonly #spread: boolean;

  constructor(nodes: readonly PlacedNode[], { attempts = 3, cookie, spread = false }: StubPolicy = {}) {
    this.#nodes = nodes;
    this.#spread = spread;
    const affinity = cookie === undefined ? { kind: 'none' } : { ...cookies, name: cookie };
    const admit = { refuse: 'close' };
    // Proof of `as`: the proxy reads these keys of a policy and no other.
    this.#policy = { place: { attempts }, admit, affinity } as unknown as Policy;
  }

  /** Leases that nobody has settled. */
  get unsettled(): number {
    return this.leases.filter(({ settled }) => settled === 'no').length;
  }

  policyOf(pool: string): Policy | undefined {
    return pool === 'chat' ? this.#policy : undefined;
  }

  place({ pool, affinityNode, excluded }: PlaceRequest): PlaceResult {
    if (pool !== 'chat')
      return { placed: false, refusal: { code: 'HERALD_POOL_UNKNOWN', message: `no pool ${pool}` } };
    const eligible = this.#nodes.filter(({ id }) => !excluded.has(id));
    const node =
      eligible.find(({ id }) => id === affinityNode) ??
      eligible[this.#spread ? this.leases.length % eligible.length : 0];
    if (node === undefined)
      return { placed: false, refusal: { code: 'HERALD_NO_NODE', message: '2 down, 1 drain' } };
    const record: LeaseRecord = {
      nodeId: node.id,
      affinityNode,
      isOpened: false,
      settled: 'no',
      carrier: undefined,
      toNode: { messages: 0, bytes: 0 },
      toClient: { messages: 0, bytes: 0 },
    };
    this.leases.push(record);
    return { placed: true, lease: leaseOf(node, record) };
  }
}

function leaseOf(node: PlacedNode, record: LeaseRecord): Lease {
  const settle = (as: LeaseRecord['settled']) => {
    if (record.settled === 'no') record.settled = as;
  };
  return {
    node,
    opened: () => {
      if (record.settled === 'no') record.isOpened = true;
    },
    failed: (reason) => settle(reason),
    release: () => settle('released'),
    carriedBy: (carrier) => void (record.carrier = carrier),
    toNode: (messages, bytes) => {
      record.toNode.messages += messages;
      record.toNode.bytes += bytes;
    },
    toClient: (messages, bytes) => {
      record.toClient.messages += messages;
      record.toClient.bytes += bytes;
    },
  };
}
