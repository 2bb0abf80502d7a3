// Schemas of drains, rebalances, freezes and events: what is asked and what is answered.
import { z } from 'zod';
import { namePattern } from '../../../policy/field.ts';
import type {
  AdminStateAnswer,
  AdminStateRequest,
  DrainForecast,
  EventRecord,
  FreezeState,
  Operation,
  OperationList,
  RebalanceAnswer,
  RebalanceRequest,
} from '../../../protocol/operations.ts';
import { adminState, maybeNumber } from './pool-schemas.ts';

const count = z.int().min(0);
const dayMs = 86_400_000;

/** An instant as ISO 8601, UTC. */
const instant = z.string().describe('ISO 8601, UTC.');

/** `GET /v1/operations/{id}` */
export const operation: z.ZodType<Operation> = z.object({
  id: z.string(),
  kind: z.enum(['drain', 'rebalance']),
  owner: z
    .string()
    .exactOptional()
    .describe('The balancer that runs it, by its name among its peers; absent where nothing is shared.'),
  pool: z.string(),
  nodes: z.array(z.string()).describe('Emptied by a drain; shed from by a rebalance so far.'),
  state: z.enum(['running', 'done', 'cancelled', 'deadline', 'stopped']),
  reason: z.string().describe('Why it is in this state, with figures.'),
  by: z.string().describe("A token's name, `local` for the UNIX socket, `auto` for the balancer itself."),
  why: z.string(),
  startedAt: instant,
  endedAt: instant.nullable(),
  deadlineAt: instant.nullable().describe('When what is left will be ended.'),
  etaMs: maybeNumber.describe('Until it is done at the present rate.'),
  ratePerSecond: z.number().min(0).describe('Connections shed per second now.'),
  progress: z.object({
    total: count,
    waiting: count.describe('Not asked to leave yet.'),
    leaving: count.describe('Asked, and still open.'),
    closed: count.describe('Told, and gone.'),
    cut: count.describe('Ended at the deadline without a goodbye that they could read.'),
    refusedByPeer: count.describe('Told, but they did not leave in time and were ended.'),
    leftByThemselves: count,
    returned: count.describe('Of those shed, clients that came back somewhere: an estimate.'),
  }),
  imbalance: z.object({ before: maybeNumber, now: maybeNumber, predicted: maybeNumber }),
});

/** `GET /v1/operations` */
export const operationList: z.ZodType<OperationList> = z.object({ operations: z.array(operation) });

const forecast: z.ZodType<DrainForecast> = z.object({
  connections: count,
  utilizationBefore: z.number().describe('Mean of the nodes that stay.'),
  utilizationAfter: z.number(),
  isRefused: z.boolean().describe('It passes saturation: such a drain takes `force`.'),
  sentence: z.string(),
});

/** What a change of admin state came to. */
export const adminStateAnswer: z.ZodType<AdminStateAnswer> = z.object({
  nodes: z.array(z.string()),
  adminState,
  operation: operation.nullable().describe('Null for `ready`, `maint` and a dry run.'),
  forecast: forecast.nullable().describe('Null without load data.'),
});

// People read it in terminals and logs: no controls, nothing invisible or direction-changing.
const plainText = /^[^\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]*$/;
const why = z
  .string()
  .max(200)
  .regex(plainText, 'must be one line of plain text')
  .exactOptional()
  .describe('Why, for the audit event; the header Herald-Why does the same.');
const drainOptions = {
  deadlineMs: z
    .int()
    .min(1)
    .max(7 * dayMs)
    .exactOptional()
    .describe("Only with `drain`; left out, the policy's."),
  ratePerSecond: z
    .number()
    .positive()
    .max(1_000_000)
    .exactOptional()
    .describe("Connections per second, only with `drain`; left out, the policy's."),
  force: z.boolean().exactOptional().describe('Drains although the rest would pass saturation.'),
  dryRun: z.boolean().exactOptional().describe('Says what would happen and changes nothing.'),
  why,
};

/** Body of `PUT /v1/nodes/{id}/admin-state` */
export const adminStateRequest = z.strictObject({
  adminState,
  ...drainOptions,
  self: z
    .boolean()
    .exactOptional()
    .describe('The node is going away: never refused, and the shorter deadline counts.'),
}) satisfies z.ZodType<AdminStateRequest>;

/** Body of `POST /v1/pools/{pool}/drains` */
export const drainsRequest = z.strictObject({
  nodes: z.array(z.string().regex(namePattern)).min(1).max(256).describe('Nodes of the pool.'),
  adminState: z.literal('drain').exactOptional().describe('May be said; it is what this path does.'),
  ...drainOptions,
});

/** Body of `POST /v1/pools/{pool}/rebalance` */
export const rebalanceRequest = z.strictObject({
  dryRun: drainOptions.dryRun,
  ratePerSecond: drainOptions.ratePerSecond.describe("Connections per second; left out, the policy's."),
  why,
}) satisfies z.ZodType<RebalanceRequest>;

/** What a rebalance does or would do. */
export const rebalanceAnswer: z.ZodType<RebalanceAnswer> = z.object({
  operation: operation.nullable().describe('Null for a dry run, or when there is nothing to do.'),
  moves: z.array(z.object({ node: z.string(), connections: count, utilization: z.number() })),
  imbalance: z.object({ now: maybeNumber, predicted: maybeNumber }),
  sentence: z.string(),
  refusal: z
    .object({ code: z.string(), message: z.string() })
    .nullable()
    .describe(
      'Of a dry run: why it would be refused now, as the error would say it. Null when it would not.',
    ),
});

/** Body of `PUT …/freeze` */
export const freezeRequest = z.strictObject({ frozen: z.boolean(), why });

/** `GET …/freeze` */
export const freezeState: z.ZodType<FreezeState> = z.object({
  frozen: z.boolean(),
  by: z.string(),
  why: z.string(),
  since: instant.nullable(),
});

/** One line of `GET /v1/events`. */
export const eventRecord: z.ZodType<EventRecord> = z.object({
  id: z.int().min(1),
  at: instant,
  type: z.string().describe('Stable; docs/reference/events.md lists them.'),
  pool: z.string(),
  node: z.string(),
  by: z.string(),
  why: z.string(),
  message: z.string(),
  facts: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
});
