// Every route of both listeners, in the order of the documentation. What answers them is in the files beside admin.ts.
import { z } from 'zod';
import { healthAnswer, policyDocument, policyPutAnswer, poolExplanation } from './explain-schemas.ts';
import { intakeRoutes } from './intake-routes.ts';
import {
  adminStateAnswer,
  adminStateRequest,
  drainsRequest,
  freezeRequest,
  freezeState,
  operation,
  operationList,
  rebalanceAnswer,
  rebalanceRequest,
} from './operation-schemas.ts';
import { nodeDetail, nodeList, poolList, poolSummary } from './pool-schemas.ts';
import type { RouteSpec } from './route-spec.ts';

const key = {
  'Idempotency-Key': 'Repeating a request with the same key within ten minutes changes nothing.',
};
const why = { 'Herald-Why': 'Why, for the audit event; at most 200 characters of ASCII.' };
const operations = ['HERALD_NOT_AVAILABLE'] as const;

/** A yes or no in a query. */
const flag = z.enum(['true', 'false']).transform((text) => text === 'true');

/** Routes of the admin listener by operation id. */
export const adminRoutes = {
  getHealth: {
    method: 'GET',
    path: '/healthz',
    summary: 'Whether the process lives',
    role: 'open',
    answers: [{ status: 200, description: 'It does.', schema: healthAnswer }],
  },
  getOpenApi: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    role: 'open',
    answers: [{ status: 200, description: 'OpenAPI 3.1.', schema: z.record(z.string(), z.unknown()) }],
  },
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
  listOperations: {
    method: 'GET',
    path: '/v1/operations',
    summary: 'Drains and rebalances, running ones first',
    role: 'read',
    query: z.strictObject({
      pool: z.string().exactOptional().describe('Only those of this pool.'),
      state: z
        .enum(['running', 'done', 'cancelled', 'deadline', 'stopped'])
        .exactOptional()
        .describe('Only those that stand so.'),
    }),
    answers: [{ status: 200, description: 'The operations.', schema: operationList }],
    problems: operations,
  },
  getOperation: {
    method: 'GET',
    path: '/v1/operations/{id}',
    summary: 'One operation',
    role: 'read',
    answers: [{ status: 200, description: 'The operation.', schema: operation }],
    problems: operations,
  },
  cancelOperation: {
    method: 'DELETE',
    path: '/v1/operations/{id}',
    summary: 'End a running operation; a cancelled drain leaves its nodes in `drain`',
    role: 'operate',
    headers: why,
    answers: [{ status: 200, description: 'As it stands now.', schema: operation }],
    problems: operations,
  },
  getFreeze: {
    method: 'GET',
    path: '/v1/freeze',
    summary: 'Whether all pools are frozen together',
    role: 'read',
    answers: [{ status: 200, description: 'The state.', schema: freezeState }],
    problems: operations,
  },
  putFreeze: {
    method: 'PUT',
    path: '/v1/freeze',
    summary: 'Stop every automatic action everywhere, or let them go on',
    role: 'operate',
    headers: why,
    body: freezeRequest,
    answers: [{ status: 200, description: 'The new state.', schema: freezeState }],
    problems: operations,
  },
  getPolicy: {
    method: 'GET',
    path: '/v1/policies/{name}',
    summary: 'A policy as its YAML would write it, every default filled in',
    role: 'read',
    answers: [{ status: 200, description: 'The policy; ETag names this version.', schema: policyDocument }],
  },
  putPolicy: {
    method: 'PUT',
    path: '/v1/policies/{name}',
    summary: 'Check a policy and write it to its file',
    role: 'operate',
    headers: { 'If-Match': 'The ETag of what shall be replaced; `*` for whatever is there.', ...why },
    query: z.strictObject({
      dryRun: flag.exactOptional().describe('Checks it, says what would change, writes nothing.'),
    }),
    body: policyDocument,
    answers: [{ status: 200, description: 'What it came to; ETag names it.', schema: policyPutAnswer }],
    problems: ['HERALD_CONFIG_INVALID', 'HERALD_PRECONDITION_FAILED', 'HERALD_POLICY_UNWRITABLE'],
  },
  followEvents: {
    method: 'GET',
    path: '/v1/events',
    summary: 'Events as they come',
    role: 'read',
    headers: { 'Last-Event-ID': 'The id of the last event heard; those after it are told first.' },
    query: z.strictObject({
      pool: z.string().exactOptional().describe('Only events of this pool.'),
      type: z
        .string()
        .regex(/^[A-Za-z.*-]{1,64}(,[A-Za-z.*-]{1,64}){0,15}$/)
        .exactOptional()
        .describe('Only these types, with commas between; `operation.*` is all that begin so.'),
      since: z
        .string()
        .regex(/^[\w.-]{1,40}$/)
        .exactOptional()
        .describe('For clients that cannot send Last-Event-ID: the same. `0`: everything that is kept.'),
    }),
    answers: [
      {
        status: 200,
        description: 'Server-sent events whose data are EventRecord; a comment every 15 seconds.',
        schema: z.string(),
        mediaType: 'text/event-stream',
      },
    ],
    problems: ['HERALD_TOO_MANY_STREAMS'],
  },
} as const satisfies Record<string, RouteSpec>;

/** Every route there is. */
export const allRoutes: Readonly<Record<string, RouteSpec>> = { ...adminRoutes, ...intakeRoutes };
