// The route about other balancers, and what it answers.
import { z } from 'zod';
import type { RouteSpec } from './route-spec.ts';

const peersAnswer = z.strictObject({
  self: z.string().describe('The name of this balancer among its peers; empty where nothing is shared.'),
  isLeader: z
    .boolean()
    .describe(
      'It acts for all: automatic rebalances, scaling drivers, webhooks about scaling. True where nothing is shared.',
    ),
  link: z.strictObject({
    state: z.enum(['alone', 'connecting', 'connected', 'degraded']),
    reason: z.string().describe('What is wrong; empty when nothing is.'),
    ageMs: z.number().describe('How long it has been so.'),
    lagMs: z.number().nullable().describe("A word's way there and back; null before the first."),
    droppedWordsTotal: z.number().int().min(0).describe('Words that were never sent.'),
  }),
  unsaidWishes: z
    .number()
    .int()
    .min(0)
    .describe('Admin states and freezes that the others have not heard of yet.'),
  peers: z.array(
    z.strictObject({
      id: z.string(),
      ageMs: z.number().describe('Since it was last heard.'),
      connections: z.number().int().min(0).describe('That it says it carries, over all pools.'),
      isLeader: z.boolean(),
    }),
  ),
});

/** By operation id. */
export const peerRoutes = {
  listPeers: {
    method: 'GET',
    path: '/v1/peers',
    summary: 'The balancers that share state with this one, and the link to what they share',
    role: 'read',
    answers: [{ status: 200, description: 'As this balancer sees it.', schema: peersAnswer }],
  },
} as const satisfies Record<string, RouteSpec>;
