// What operators want of nodes, told to processes that this one has replaced: each sheds its own connections.
import type { Clock, Timer } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { AdminState } from '../../core/snapshot.ts';
import type { RunningControl } from '../control/control.ts';
import type { Registry } from '../state/registry.ts';
import type { NodeWish } from './messages.ts';

/** What both ends act on. */
export interface WishParts {
  readonly registry: Pick<Registry, 'pools' | 'setAdminState'>;
  readonly control: Pick<RunningControl, 'setAdminState' | 'drainDeadlineAtMs' | 'operations' | 'cancel'>;
  readonly clock: Clock;
}

// As often as drains decide; looked at only while there is somebody to tell.
const lookEveryMs = 250;
// A deadline that an operator moves by less than this was moved by rounding.
const slackMs = 1000;
/** Who asked, in the operations of the earlier process. */
const by = 'takeover';

interface Wished {
  readonly adminState: AdminState;
  /** An instant of the clock; undefined where nothing is being drained. */
  readonly deadlineAtMs: number | undefined;
}

/** What a report is made of. */
export interface WishReportParts extends WishParts {
  readonly send: (wish: NodeWish) => void;
}

/** Tells changes, from `start` to `stop`. */
export class WishReport {
  readonly #parts: WishReportParts;
  #known: ReadonlyMap<string, Wished> = new Map();
  #timer: Timer | undefined;

  constructor(parts: WishReportParts) {
    this.#parts = parts;
  }

  /** What is wanted now is known to the others: they have handed it over. */
  start(): void {
    this.#known = this.#look();
    this.#timer = this.#parts.clock.repeat(lookEveryMs, () => this.#tell());
  }

  /** Idempotent. */
  stop(): void {
    this.#timer?.cancel();
  }

  #tell(): void {
    const nowMs = this.#parts.clock.nowMs();
    const now = this.#look();
    for (const [key, wished] of now) {
      if (isSame(this.#known.get(key), wished)) continue;
      const [pool = '', node = ''] = key.split(' ');
      const { adminState } = wished;
      const isNew = adminState === 'drain' && this.#known.get(key)?.adminState !== 'drain';
      // A drain that is over before anybody looked was one of a node that has nothing here; there it may have much.
      const atMs = wished.deadlineAtMs ?? (isNew ? nowMs + this.#usualDeadlineMs(pool) : undefined);
      const deadlineMs = atMs === undefined ? null : Math.max(1, Math.round(atMs - nowMs));
      this.#parts.send({ pool, node, adminState, deadlineMs });
    }
    this.#known = now;
  }

  #usualDeadlineMs(pool: string): number {
    return this.#parts.registry.pools.get(pool)?.policy.drain.deadlineMs ?? 0;
  }

  #look(): Map<string, Wished> {
    const { registry, control } = this.#parts;
    const wished = new Map<string, Wished>();
    for (const { name, nodes } of registry.pools.values()) {
      for (const [id, { adminState }] of nodes) {
        const deadlineAtMs = adminState === 'drain' ? control.drainDeadlineAtMs(name, id) : undefined;
        wished.set(keyOf(name, id), { adminState, deadlineAtMs });
      }
    }
    return wished;
  }
}

/** Takes a wish over. A node that is not known here has no connections here. */
export function applyWish({ registry, control }: WishParts, wish: NodeWish): void {
  const { pool, node, adminState, deadlineMs } = wish;
  if (registry.pools.get(pool)?.nodes.has(node) !== true) return;
  try {
    if (adminState === 'drain' && deadlineMs === null) endDrain(control, wish);
    else if (adminState === 'drain')
      // Forced: the new process has looked whether the others have room, and they are its to fill.
      control.setAdminState([node], { adminState, force: true, deadlineMs: deadlineMs ?? 1 }, { by });
    else control.setAdminState([node], { adminState }, { by });
  } catch (error) {
    // A drain of other nodes is under way that this one cannot join: that one sheds them.
    if (!(error instanceof HeraldError)) throw error;
  }
}

/** The drain was cancelled: the node takes nothing more, and what is left stays. */
function endDrain(control: WishParts['control'], { pool, node }: NodeWish): void {
  const running = control
    .operations()
    .find(
      (each) =>
        each.kind === 'drain' && each.state === 'running' && each.pool === pool && each.nodes.includes(node),
    );
  if (running !== undefined) control.cancel(running.id, { by, why: '' });
}

function isSame(a: Wished | undefined, b: Wished): boolean {
  // A node that has just come: nobody else has connections to it.
  if (a === undefined) return true;
  if (a.adminState !== b.adminState) return false;
  if (a.deadlineAtMs === undefined || b.deadlineAtMs === undefined) return a.deadlineAtMs === b.deadlineAtMs;
  return Math.abs(a.deadlineAtMs - b.deadlineAtMs) < slackMs;
}

/** Names of pools and ids of nodes have no spaces. */
function keyOf(pool: string, node: string): string {
  return `${pool} ${node}`;
}
