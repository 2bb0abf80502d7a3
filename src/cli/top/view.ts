// What `herald top` shows and how keys change it, as values. Nothing is drawn or asked here.
import type { NodeDetail, PoolSummary } from '../../protocol/admin-api.ts';
import type { FreezeState, Operation } from '../../protocol/operations.ts';
import { stateWord } from '../node-cells.ts';
import type { Key } from './keys.ts';

/** One look at a balancer. */
export interface Fleet {
  readonly pools: readonly PoolSummary[];
  /** Nodes of the pool that is shown. */
  readonly nodes: readonly NodeDetail[];
  /** Running ones of that pool. */
  readonly operations: readonly Operation[];
  /** Undefined where the balancer has none. */
  readonly freeze: FreezeState | undefined;
}

/** Columns that nodes can be sorted by. */
export const sortNames = ['node', 'state', 'load', 'conns', 'msg', 'share'] as const;

/** One of them. */
export type SortName = (typeof sortNames)[number];

/** What the person at the keys has chosen. */
export interface View {
  /** Name of the pool; '' before the first look. */
  readonly pool: string;
  readonly sort: SortName;
  readonly isReversed: boolean;
  /** Nodes that are above the first line. */
  readonly scroll: number;
}

/** The first view of a pool: the hottest node on top. */
export function firstView(pool: string): View {
  return { pool, sort: 'load', isReversed: false, scroll: 0 };
}

/** The view after a key. `pageLines`: nodes on one screen. */
export function pressed(
  view: View,
  key: Exclude<Key, 'quit'>,
  { pools, nodeCount, pageLines }: { pools: readonly string[]; nodeCount: number; pageLines: number },
): View {
  const lastScroll = Math.max(0, nodeCount - pageLines);
  const scrolledTo = (line: number) => ({ ...view, scroll: Math.min(lastScroll, Math.max(0, line)) });
  switch (key) {
    case 'sort':
      return { ...view, sort: following(sortNames, view.sort) ?? view.sort, isReversed: false };
    case 'reverse':
      return { ...view, isReversed: !view.isReversed };
    case 'pool':
      return { ...view, pool: following(pools, view.pool) ?? view.pool, scroll: 0 };
    case 'up':
      return scrolledTo(view.scroll - 1);
    case 'down':
      return scrolledTo(view.scroll + 1);
    case 'pageUp':
      return scrolledTo(view.scroll - pageLines);
    case 'pageDown':
      return scrolledTo(view.scroll + pageLines);
    case 'home':
      return scrolledTo(0);
    case 'end':
      return scrolledTo(lastScroll);
  }
}

/** Nodes in the order of the view: numbers from the highest, words from A; equal ones by id. */
export function sortedNodes(nodes: readonly NodeDetail[], { sort, isReversed }: View): NodeDetail[] {
  const sign = isReversed ? -1 : 1;
  return nodes.toSorted((a, b) => sign * compare(a, b, sort) || (a.id < b.id ? -1 : 1));
}

function compare(a: NodeDetail, b: NodeDetail, sort: SortName): number {
  switch (sort) {
    case 'node':
      return a.id.localeCompare(b.id, 'en', { numeric: true });
    case 'state':
      return stateWord(a).localeCompare(stateWord(b), 'en');
    case 'load':
      // A node whose load is not known comes last.
      return (b.score ?? -1) - (a.score ?? -1);
    case 'conns':
      return b.connections.open - a.connections.open;
    case 'msg':
      return b.messagesPerSecond - a.messagesPerSecond;
    case 'share':
      return b.share - a.share;
  }
}

function following<Name extends string>(names: readonly Name[], name: Name): Name | undefined {
  return names[(names.indexOf(name) + 1) % Math.max(1, names.length)];
}
