// Every route of both listeners, in the order of the documentation. What answers them is in the files beside admin.ts.
import { z } from 'zod';
import { healthAnswer, policyDocument, policyPutAnswer } from './explain-schemas.ts';
import { hookRoutes } from './hook-routes.ts';
import { intakeRoutes } from './intake-routes.ts';
import { freezeRequest, freezeState, operation, operationList } from './operation-schemas.ts';
import { peerRoutes } from './peer-specs.ts';
import { flag, operations, poolRoutes, why } from './pool-specs.ts';
import type { RouteSpec } from './route-spec.ts';
import { takeoverRoutes } from './takeover-specs.ts';
import { workerRoutes } from './worker-specs.ts';
import { webhookRoutes } from './webhook-specs.ts';

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
  ...poolRoutes,
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
  ...webhookRoutes,
  ...takeoverRoutes,
  ...peerRoutes,
  ...workerRoutes,
} as const satisfies Record<string, RouteSpec>;

/** Every route there is. */
export const allRoutes: Readonly<Record<string, RouteSpec>> = {
  ...adminRoutes,
  ...intakeRoutes,
  ...hookRoutes,
};
