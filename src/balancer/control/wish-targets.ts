// How wishes of other balancers' operators are done here, and what is wanted here as wishes for the others.
import { HeraldError } from '../../core/error.ts';
import type { AdminState } from '../../core/snapshot.ts';
import type { SharedWish } from '../../protocol/peer-wishes.ts';
import type { Registry } from '../state/registry.ts';
import type { Freezes } from './freezes.ts';
import type { Control } from './ports.ts';
import type { WishTarget } from './shared-wishes.ts';

const states: readonly AdminState[] = ['ready', 'drain', 'maint'];
/** No pool has this name. */
const allPools = '*';

/** The register of a node's admin state. */
export function adminKey(pool: string, node: string): string {
  return `${pool} ${node}`;
}

/** The register of a freeze; undefined: of all pools. */
export function freezeKey(pool: string | undefined): string {
  return pool === undefined || pool === '' ? allPools : pool;
}

/** A wish for an admin state. */
export function adminWish(
  adminState: AdminState,
  more: Omit<SharedWish, 'rank'> = { by: '', why: '' },
): SharedWish {
  return { rank: states.indexOf(adminState), ...more };
}

/** Admin states of nodes. */
export function createAdminTarget(registry: Registry, control: Pick<Control, 'setAdminState'>): WishTarget {
  return {
    all: () =>
      new Map(
        registry.wishes
          .all()
          .map(({ pool, node, adminState, selfDrainEpoch }) => [
            adminKey(pool, node),
            adminWish(adminState, { by: '', why: '', isSelf: selfDrainEpoch !== undefined }),
          ]),
      ),
    apply(key, { rank, by, why, deadlineMs, ratePerSecond, isSelf, operation }, isNew) {
      const [pool = '', node = ''] = key.split(' ');
      const adminState = states[rank] ?? 'maint';
      const record = registry.pools.get(pool)?.nodes.get(node);
      if (record === undefined) return applyAway(registry, { pool, node, adminState });
      // Also a drain of before the restart goes on by its own deadline.
      if (record.adminState === adminState && (adminState !== 'drain' || !isNew)) return;
      if (adminState !== 'drain') {
        control.setAdminState([node], { adminState, why }, { by });
        return;
      }
      control.setAdminState(
        [node],
        {
          adminState,
          why,
          // It was checked where the operator asked, against the whole pool.
          force: true,
          ...(deadlineMs !== undefined && { deadlineMs }),
          ...(ratePerSecond !== undefined && { ratePerSecond }),
          ...(isSelf === true && { self: true }),
        },
        { by, ...(operation && { operation }) },
      );
    },
  };
}

function applyAway(
  { wishes }: Registry,
  { pool, node, adminState }: { pool: string; node: string; adminState: AdminState },
): void {
  if (adminState === 'ready') wishes.forget(pool, node);
  else wishes.restore({ pool, node, adminState });
}

/** Freezes of pools. */
export function createFreezeTarget(freezes: Freezes, control: Pick<Control, 'setFrozen'>): WishTarget {
  return {
    all: () =>
      new Map([...freezes.entries].map(([pool, { by, why }]) => [freezeKey(pool), { rank: 1, by, why }])),
    apply(key, { rank, by, why }, isNew) {
      if (rank === 0 && key === allPools && !isNew) return releaseAll(freezes, control, { by, why });
      try {
        control.setFrozen(key === allPools ? undefined : key, { frozen: rank > 0, why }, { by });
      } catch (error) {
        // A pool that only the other balancer has.
        if (!(error instanceof HeraldError) || error.code !== 'HERALD_POOL_UNKNOWN') throw error;
      }
    },
  };
}

/** Long ago all pools were let go: those that have been frozen since by themselves stay so. */
function releaseAll(
  freezes: Freezes,
  control: Pick<Control, 'setFrozen'>,
  { by, why }: { by: string; why: string },
): void {
  if (!freezes.entries.has('')) return;
  const others = [...freezes.entries].filter(([pool]) => pool !== '');
  control.setFrozen(undefined, { frozen: false, why }, { by });
  for (const [pool, freeze] of others) freezes.restore(pool, freeze);
}
