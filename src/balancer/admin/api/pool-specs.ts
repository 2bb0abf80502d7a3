// The routes of pools and nodes.
import { z } from 'zod';
import { poolExplanation } from './explain-schemas.ts';
import {
  adminStateAnswer,
  adminStateRequest,
  drainsRequest,
  freezeRequest,
  freezeState,
  rebalanceAnswer,
  rebalanceRequest,
} from './operation-schemas.ts';
import { nodeDetail, nodeList, poolList, poolSummary } from './pool-schemas.ts';
import type { RouteSpec } from './route-spec.ts';
import { scaling } from './scale-schemas.ts';

const key = {
  'Idempotency-Key': 'Repeating a request with the same key within ten minutes changes nothing.',
};
/** The header that gives a reason. */
export const why = { 'Herald-Why': 'Why, for the audit event; at most 200 characters of ASCII.' };
/** A yes or no in a query. */
export const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

const scalingDescription = `Computed every five seconds. Without valid load data the answer is 503 with
\`HERALD_SCALE_UNKNOWN\`, never a load of 0: autoscalers keep what there is on an error.

KEDA reads it with its scaler \`metrics-api\`: \`url\` this path, \`valueLocation: totalLoad\`, \`targetValue\` the
policy's \`scale.target\` as a number (\`"0.6"\`), \`metricType: AverageValue\`, \`authMode: bearer\` with a token of role
\`read\`. Windows and steps are KEDA's and the HPA's then: \`totalLoad\` has none.`;

/** What a route answers that needs the control loops where there are none. */
export const operations = ['HERALD_NOT_AVAILABLE'] as const;

/** By operation id. */
export const poolRoutes = {
  listPools: {
    method: 'GET',
    path: '/v1/pools',
    summary: 'Every pool, summed up',
    role: 'read',
    answers: [{ status: 200, description: 'In order of configuration.', schema: poolList }],
  },
  getPool: {
    method: 'GET',
    path: '/v1/pools/{pool}',
    summary: 'One pool, summed up',
    role: 'read',
    answers: [{ status: 200, description: 'The pool.', schema: poolSummary }],
  },
  listNodes: {
    method: 'GET',
    path: '/v1/pools/{pool}/nodes',
    summary: 'The nodes of a pool',
    role: 'read',
    answers: [{ status: 200, description: 'In order of registration.', schema: nodeList }],
  },
  explainPool: {
    method: 'GET',
    path: '/v1/pools/{pool}/explain',
    summary: 'Why the next connection goes where',
    role: 'read',
    answers: [{ status: 200, description: 'The explanation.', schema: poolExplanation }],
  },
  getScaling: {
    method: 'GET',
    path: '/v1/pools/{pool}/scaling',
    summary: 'How many nodes the work of a pool needs, and which ones to take away',
    description: scalingDescription,
    role: 'read',
    query: z.strictObject({
      allowUnknown: flag
        .exactOptional()
        .describe('`true`: 200 with `state: unknown` where there are no valid load data, in place of 503.'),
    }),
    answers: [{ status: 200, description: 'The latest recommendation.', schema: scaling }],
    problems: ['HERALD_SCALE_UNKNOWN', ...operations],
  },
  beginDrains: {
    method: 'POST',
    path: '/v1/pools/{pool}/drains',
    summary: 'Drain several nodes of a pool at once, all or none',
    role: 'operate',
    headers: { ...key, ...why },
    body: drainsRequest,
    answers: [
      { status: 202, description: 'Begun; Location names the operation.', schema: adminStateAnswer },
      { status: 200, description: 'A dry run: what would happen.', schema: adminStateAnswer },
    ],
    problems: ['HERALD_NODE_UNKNOWN', 'HERALD_DRAIN_REFUSED', ...operations],
  },
  beginRebalance: {
    method: 'POST',
    path: '/v1/pools/{pool}/rebalance',
    summary: 'Move connections from the hottest nodes to the others',
    role: 'operate',
    headers: { ...key, ...why },
    body: rebalanceRequest,
    answers: [
      { status: 202, description: 'Begun; Location names the operation.', schema: rebalanceAnswer },
      { status: 200, description: 'A dry run, or nothing to do.', schema: rebalanceAnswer },
    ],
    problems: ['HERALD_FROZEN', 'HERALD_OPERATION_RUNNING', ...operations],
  },
  getPoolFreeze: {
    method: 'GET',
    path: '/v1/pools/{pool}/freeze',
    summary: 'Whether a pool is frozen',
    role: 'read',
    answers: [{ status: 200, description: 'The state.', schema: freezeState }],
    problems: operations,
  },
  putPoolFreeze: {
    method: 'PUT',
    path: '/v1/pools/{pool}/freeze',
    summary: 'Stop every automatic action in a pool, or let them go on',
    role: 'operate',
    headers: why,
    body: freezeRequest,
    answers: [{ status: 200, description: 'The new state.', schema: freezeState }],
    problems: operations,
  },
  getNode: {
    method: 'GET',
    path: '/v1/nodes/{id}',
    summary: 'One node',
    role: 'read',
    answers: [{ status: 200, description: 'The node.', schema: nodeDetail }],
  },
  removeNode: {
    method: 'DELETE',
    path: '/v1/nodes/{id}',
    summary: 'Forget a registered node; its open connections live on',
    role: 'operate',
    headers: why,
    answers: [{ status: 204, description: 'It is forgotten.' }],
    problems: ['HERALD_NODE_STATIC'],
  },
  setAdminState: {
    method: 'PUT',
    path: '/v1/nodes/{id}/admin-state',
    summary: 'Say what a node shall be: ready, drain or maint',
    role: 'operate',
    headers: why,
    body: adminStateRequest,
    answers: [{ status: 200, description: 'What it came to.', schema: adminStateAnswer }],
    problems: ['HERALD_DRAIN_REFUSED', ...operations],
  },
} as const satisfies Record<string, RouteSpec>;
