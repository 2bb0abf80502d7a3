// Changes of what is wanted of a node, by an operator or by the node itself: each is told once, with who and why.
import type { AdminState } from '../../core/snapshot.ts';
import type { AdminWishes } from './admin-wishes.ts';
import type { NodeRecord } from './node-record.ts';
import type { Notify } from './notice.ts';
import type { PoolState } from './pool-state.ts';

/** Who wants a change, and why. */
export interface AskedBy {
  /** A token's name, `local` for the UNIX socket, `auto` for the balancer itself. */
  readonly by: string;
  /** '' for no reason given. */
  readonly why: string;
}

interface Place {
  readonly pool: PoolState;
  readonly node: NodeRecord;
}

/** The admin states of a registry's nodes. */
export class AdminStates {
  readonly #wishes: AdminWishes;
  readonly #notify: Notify;
  readonly #changed: (pool: string, node: string, askedBy: AskedBy | undefined) => void;

  constructor(
    wishes: AdminWishes,
    notify: Notify,
    changed: (pool: string, node: string, askedBy: AskedBy | undefined) => void = () => {},
  ) {
    this.#wishes = wishes;
    this.#notify = notify;
    this.#changed = changed;
  }

  /** An operator's wish: it outlives the node, and whatever the node itself asked for. */
  set({ pool, node }: Place, adminState: AdminState, askedBy?: AskedBy): void {
    if (node.selfDrainEpoch !== undefined) this.#wishes.revision += 1;
    node.selfDrainEpoch = undefined;
    this.#change({ pool, node }, adminState, askedBy);
  }

  /** The node itself is about to end: drained until its next epoch, then what an operator wants. */
  beginSelfDrain({ pool, node }: Place, askedBy: AskedBy): void {
    const { adminState, selfDrainEpoch } = node;
    // What an operator drains stays drained.
    if (adminState === 'drain' && selfDrainEpoch === undefined) return;
    if (adminState !== 'drain') node.afterSelfDrain = adminState;
    node.selfDrainEpoch = node.load?.epoch ?? '';
    this.#wishes.revision += 1;
    this.#change({ pool, node }, 'drain', askedBy);
  }

  /** A node that drained itself and reports under another epoch has been restarted: what an operator wants holds again. */
  seeEpoch({ pool, node }: Place, epoch: string): void {
    const { selfDrainEpoch } = node;
    if (selfDrainEpoch === undefined || selfDrainEpoch === epoch) return;
    if (selfDrainEpoch !== '') return this.#endSelfDrain({ pool, node });
    node.selfDrainEpoch = epoch;
    this.#wishes.revision += 1;
    pool.markDirty();
  }

  /** Its check passes again. Where no agent reports, nothing else tells that it has been restarted. */
  seeUp(place: Place): void {
    if (place.node.selfDrainEpoch === '') this.#endSelfDrain(place);
  }

  #endSelfDrain(place: Place): void {
    const askedBy = { by: 'auto', why: 'it had drained itself and has been restarted' };
    this.set(place, place.node.afterSelfDrain, askedBy);
  }

  #change({ pool, node }: Place, adminState: AdminState, askedBy?: AskedBy): void {
    const from = node.adminState;
    if (from === adminState) return;
    node.adminState = adminState;
    this.#wishes.revision += 1;
    pool.discardAssessment();
    const facts = { pool: pool.name, node: node.identity.id, from, to: adminState };
    this.#notify('admin state changed', { ...facts, ...askedBy });
    this.#changed(pool.name, node.identity.id, askedBy);
  }
}
