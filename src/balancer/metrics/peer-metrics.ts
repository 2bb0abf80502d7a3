// Metrics of the balancers that share state: what there is, and its page, read at scrape time.
import type { PeersAnswer } from '../../protocol/peering.ts';
import { createExposition, labelText } from './exposition.ts';
import type { MetricEntry } from './metric-entry.ts';

/** What follows peers. */
export const peerMetrics = {
  herald_peers: {
    type: 'gauge',
    labels: [],
    help: 'Other balancers that share state with this one and are here, as a count.',
  },
  herald_leader: {
    type: 'gauge',
    labels: [],
    help: '1 while this balancer acts for all that share state; the sum over them is 1, or 0 while nobody leads.',
  },
  herald_link_state: {
    type: 'gauge',
    labels: ['state'],
    help: '1 for the state of the link to what is shared: alone, connecting, connected or degraded; 0 for the others.',
  },
  herald_link_lag_seconds: {
    type: 'gauge',
    labels: [],
    help: "Seconds that a word's way to the others and back took last; absent before the first.",
  },
  herald_words_dropped_total: {
    type: 'counter',
    labels: [],
    help: 'Words to other balancers that were never sent, as a count: the link was down or did not keep up.',
  },
  herald_wishes_unsaid: {
    type: 'gauge',
    labels: [],
    help: 'Admin states and freezes that the other balancers have not heard of yet, as a count.',
  },
} as const satisfies Record<string, MetricEntry>;

const states = ['alone', 'connecting', 'connected', 'degraded'] as const;

/** The part of the page that is about peers. */
export function peerPage({ peers, isLeader, link, unsaidWishes }: PeersAnswer): string {
  const page = createExposition(peerMetrics);
  page.add('herald_peers', '', peers.length);
  page.add('herald_leader', '', isLeader ? 1 : 0);
  for (const state of states)
    page.add('herald_link_state', labelText({ state }), link.state === state ? 1 : 0);
  if (link.lagMs !== null) page.add('herald_link_lag_seconds', '', link.lagMs / 1000);
  page.add('herald_words_dropped_total', '', link.droppedWordsTotal);
  page.add('herald_wishes_unsaid', '', unsaidWishes);
  return page.text();
}
