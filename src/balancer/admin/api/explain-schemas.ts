// Schemas of explanations, of policies and of what says whether the process lives.
import { z } from 'zod';
import type {
  HealthAnswer,
  NodeExplanation,
  PolicyDocument,
  PoolExplanation,
  ReadyAnswer,
} from '../../../protocol/admin-api.ts';
import {
  basis,
  evidence,
  ineligible,
  loadState,
  maybeNumber,
  nodeLearning,
  picker,
  poolLearning,
} from './pool-schemas.ts';

/** One node's part in an explanation. */
export const nodeExplanation: z.ZodType<NodeExplanation> = z.object({
  id: z.string(),
  ineligible,
  loadState,
  evidence,
  score: maybeNumber,
  reported: maybeNumber.describe('The part of the score that the reports show.'),
  added: maybeNumber.describe('The rest of it: what has come and gone since, and distress.'),
  scoreReason: z.string(),
  slope: maybeNumber.describe('What one more connection adds to the score.'),
  bound: maybeNumber.describe('Most of `arrivals` that it may take; null when no guard bounds it.'),
  guard: z.enum(['maxConnections', 'maxShare', 'connectRate', 'slowStart']).nullable(),
  share: z.number().min(0).max(1),
  shareReason: z.string(),
  learned: nodeLearning,
  learnedReason: z.string(),
});

/** `GET /v1/pools/{pool}/explain` */
export const poolExplanation: z.ZodType<PoolExplanation> = z.object({
  pool: z.string(),
  policy: z.string(),
  picker,
  basis,
  basisReason: z.string(),
  panic: z.boolean(),
  horizonMs: z.number(),
  arrivalsPerSecond: z.number(),
  arrivals: z.number().describe('Connections that the shares were made for.'),
  unplaced: z.number().describe('Of these, what the guards leave without a place.'),
  level: maybeNumber.describe('Score that the shares fill the nodes up to.'),
  summary: z.string().describe('Where the next connection goes and why.'),
  notes: z.array(z.string()),
  learned: poolLearning,
  learnedReason: z.string(),
  nodes: z.array(nodeExplanation),
});

/** `GET /healthz` */
export const healthAnswer: z.ZodType<HealthAnswer> = z.object({ status: z.literal('alive') });

/** `GET /readyz` */
export const readyAnswer: z.ZodType<ReadyAnswer> = z.object({
  ready: z.boolean(),
  reason: z.string().describe("Why it is not; '' when it is."),
  poolsWithoutNode: z.array(z.string()),
});

/** A policy as its YAML would write it. config/policy.schema.json says what is in it. */
export const policyDocument: z.ZodType<PolicyDocument> = z
  .record(z.string(), z.unknown())
  .describe('A policy as its YAML would write it; config/policy.schema.json is its schema.');

/** One key of a policy that differs. */
const policyChange = z.object({
  path: z.string().describe('`place.maxShare`'),
  from: z.unknown().describe('Null when it was not there.'),
  to: z.unknown().describe('Null when it is not there any more.'),
});

/** `PUT /v1/policies/{name}` */
export const policyPutAnswer = z.object({
  policy: policyDocument.describe('As it will be, every default filled in.'),
  changes: z.array(policyChange).describe('What differs from the file as it was; empty when nothing does.'),
  written: z.boolean().describe('False for a dry run, and where nothing differs.'),
  file: z.string().describe('Name of the file in the directory of policies.'),
});

/** An error: RFC 9457 with a stable code. Other members say more, such as `pool` or `problems`. */
export const problemBody = z.looseObject({
  type: z.string().describe('Page and section of the documentation: a relative reference.'),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('Stable; docs/reference/errors.md lists all of them.'),
  detail: z.string().describe('What happened this time, for people.'),
  remedy: z.string(),
});
