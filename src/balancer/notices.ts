// Notices of the state as events: what the log gets as a line, whoever follows `GET /v1/events` gets by a stable name.
import type { EventRecord } from '../protocol/operations.ts';
import type { EventFeed } from './control/ports.ts';

/** Event types by notice; docs/reference/events.md lists them. A notice that is not here is for the log only. */
export const noticeTypes: Readonly<Record<string, string>> = {
  'node added': 'node.added',
  'node joined': 'node.joined',
  'node restarted': 'node.restarted',
  'node left': 'node.left',
  'node removed': 'node.removed',
  'node up': 'node.up',
  'node down': 'node.down',
  'node ejected': 'node.ejected',
  'node not ejected: too many are already': 'node.ejectionRefused',
  'admin state changed': 'node.adminStateChanged',
  'panic began': 'pool.panicBegan',
  'panic ended': 'pool.panicEnded',
};

type Facts = Readonly<Record<string, unknown>>;

/** Tells the feed of a notice. */
export function tellNotice(feed: EventFeed, notice: string, facts: Facts): void {
  const type = noticeTypes[notice];
  if (type === undefined) return;
  const { pool, node, by, why, ...rest } = facts;
  feed.tell({
    type,
    pool: textOf(pool),
    node: textOf(node),
    by: textOf(by),
    why: textOf(why),
    message: sentenceOf(notice, facts),
    facts: plainFacts(rest),
  });
}

/** `Node down: 'a' of pool 'chat', answers 500.` */
function sentenceOf(notice: string, { pool, node, reason, from, to, by, why }: Facts): string {
  const what = textOf(node) === '' ? `pool '${textOf(pool)}'` : `'${textOf(node)}' of pool '${textOf(pool)}'`;
  const change = textOf(from) === '' ? '' : `from ${textOf(from)} to ${textOf(to)}`;
  const who = textOf(by) === '' ? '' : `by ${textOf(by)}${textOf(why) === '' ? '' : ` (${textOf(why)})`}`;
  const more = [textOf(reason), change, who].filter((part) => part !== '');
  return `${[`${notice.slice(0, 1).toUpperCase()}${notice.slice(1)}: ${what}`, ...more].join(', ')}.`;
}

function plainFacts(facts: Facts): EventRecord['facts'] {
  return Object.fromEntries(
    Object.entries(facts).map(([key, value]) => {
      const isPlain = value === null || ['string', 'number', 'boolean'].includes(typeof value);
      // Proof of the cast: just looked at.
      return [key, isPlain ? (value as string | number | boolean | null) : JSON.stringify(value)];
    }),
  );
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
