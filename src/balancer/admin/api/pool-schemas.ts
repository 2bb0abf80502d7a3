// Schemas of what is answered about pools and nodes. The types of protocol/ are the truth: each schema is checked
// against its type by the compiler, and against real answers by the tests.
import { z } from 'zod';
import { pickerNames } from '../../../core/pick/picker-name.ts';
import type { NodeDetail, NodeList, PoolList, PoolSummary } from '../../../protocol/admin-api.ts';
import type { LearnedFigure, NodeLearning, PoolLearning } from '../../../protocol/learned.ts';
import { adminStates } from '../../control/ports.ts';

const count = z.int().min(0);
const earlier = count.describe('Relayed by processes that this one has replaced.');
/** A number, or null when it is not known. */
export const maybeNumber = z.number().nullable();
/** The operator's wish for a node. */
export const adminState = z.enum(adminStates);
/** The rule that picks a node. */
export const picker = z.enum(pickerNames);
/** What a pool is placed by. */
export const basis = z.enum(['load', 'relay', 'connections', 'rotation']);
/** What a node's reports are worth now. */
export const loadState = z.enum(['valid', 'blackout', 'expired', 'none']);
/** Where a score comes from. */
export const evidence = z.enum(['measured', 'median', 'doubted', 'counted']);
/** Why a node takes no connection; null when it may. */
export const ineligible = z.enum(['drain', 'maint', 'down', 'full', 'shedding', 'excluded']).nullable();

const learnedFigure: z.ZodType<LearnedFigure> = z.object({
  value: maybeNumber.describe('What placement reckons with.'),
  own: maybeNumber.describe("What the node's own pairs say."),
  ofPool: maybeNumber.describe('What the pool says for a node of this capacity.'),
  amountWhenFull: maybeNumber.describe('How much of it fills the node.'),
  pairs: z.number().min(0).describe('Pairs that `own` rests on, old ones counting less.'),
  from: z.enum(['own', 'pool', 'declared', 'none']),
});

/** What was learned of a node. */
export const nodeLearning: z.ZodType<NodeLearning> = z.object({
  messageCost: learnedFigure.describe('Utilization for each relayed message per second.'),
  connectionSlope: learnedFigure.describe('Utilization for each connection.'),
  autoSaturation: maybeNumber.describe('Messages per second that `saturation: auto` stands for.'),
  throughputPairs: z.number().min(0),
  isRestored: z.boolean().describe('All of it is from before a restart of the balancer.'),
});

/** What was learned of a pool. */
export const poolLearning: z.ZodType<PoolLearning> = z.object({
  messageCost: maybeNumber,
  idleByMessages: maybeNumber.describe('Utilization of a node that no messages are relayed to.'),
  messagePairs: z.number().min(0),
  connectionSlope: maybeNumber,
  idleByConnections: maybeNumber.describe('Utilization of a node without connections.'),
  connectionPairs: z.number().min(0),
});

/** `GET /v1/pools/{pool}` */
export const poolSummary: z.ZodType<PoolSummary> = z.object({
  pool: z.string(),
  policy: z.string().describe('Name of its policy.'),
  picker,
  basis: basis.describe('What it is placed by.'),
  panic: z.boolean().describe('It is placed without load data although it was there.'),
  nodes: z
    .object({
      total: count,
      eligible: count,
      drain: count,
      maint: count,
      down: count,
      full: count,
      shedding: count,
    })
    .describe('How many nodes are in which state; they sum to `total`.'),
  connections: z.object({ open: count, dialling: count, earlier }),
  arrivalsPerSecond: z.number().min(0),
  meanUtilization: maybeNumber.describe('Of the eligible nodes with valid data.'),
  imbalance: maybeNumber.describe('Highest ÷ mean utilization of the same nodes; 1 is level.'),
  learned: poolLearning,
});

/** `GET /v1/pools` */
export const poolList: z.ZodType<PoolList> = z.object({ pools: z.array(poolSummary) });

/** `GET /v1/nodes/{id}` */
export const nodeDetail: z.ZodType<NodeDetail> = z.object({
  id: z.string(),
  pool: z.string(),
  address: z.string().describe('`host:port`, IPv6 in brackets.'),
  zone: z.string(),
  version: z.string(),
  origin: z.enum(['static', 'registered']),
  adminState: adminState.describe("The operator's wish."),
  health: z.enum(['up', 'down']).describe('What Herald sees.'),
  healthReason: z.string(),
  ineligible: ineligible.describe('Why it takes no new connection; null when it may.'),
  loadState,
  evidence,
  score: maybeNumber.describe('Predicted utilization, what placement compares; lower is better.'),
  utilization: maybeNumber.describe('Smoothed, as reported.'),
  bottleneck: z.string().describe('The additive signal that is highest.'),
  distress: maybeNumber.describe('Worst distress signal ÷ its saturation.'),
  signals: z.record(z.string(), z.number()).describe("Newest values in each signal's base unit."),
  share: z.number().min(0).max(1).describe('Part of the next arrivals.'),
  connections: z.object({ open: count, dialling: count, earlier, reported: maybeNumber }),
  maxConnections: maybeNumber,
  messagesPerSecond: z.number().min(0),
  reportAgeMs: maybeNumber,
  capacity: maybeNumber.describe('Declared size; null: learned.'),
  costPerMessage: maybeNumber,
  slopePerConnection: maybeNumber,
  learned: nodeLearning,
});

/** `GET /v1/pools/{pool}/nodes` */
export const nodeList: z.ZodType<NodeList> = z.object({ pool: z.string(), nodes: z.array(nodeDetail) });
