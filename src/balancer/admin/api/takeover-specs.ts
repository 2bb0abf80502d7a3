// The routes of replacing the process, and their schemas.
import { z } from 'zod';
import type { TakeoverAnswer, TakeoverView } from '../../../protocol/takeover.ts';
import { operations, why } from './pool-specs.ts';
import type { RouteSpec } from './route-spec.ts';

const count = z.int().min(0);
const generation = z.int().min(1).describe('The process that began has 1, each that took over one more.');

const takeoverView: z.ZodType<TakeoverView> = z.object({
  generation,
  pid: count,
  isUnderWay: z.boolean().describe('A new process is being started.'),
  earlier: z
    .array(
      z.object({
        generation,
        pid: count,
        connections: count.describe('Open, as it told within the last second.'),
      }),
    )
    .describe('Processes that have been replaced and relay what they had; oldest first.'),
});

const takeoverAnswer: z.ZodType<TakeoverAnswer> = z.object({
  generation,
  pid: count.describe('Of the process that serves now.'),
  tookMs: z.number().min(0).describe('From the request to the moment in which it served.'),
  connections: count.describe('What the old process still relays.'),
});

/** By operation id. */
export const takeoverRoutes = {
  getTakeover: {
    method: 'GET',
    path: '/v1/takeover',
    summary: 'Which process this is, and which earlier ones still relay',
    role: 'read',
    answers: [{ status: 200, description: 'As it stands.', schema: takeoverView }],
    problems: operations,
  },
  takeOver: {
    method: 'POST',
    path: '/v1/takeover',
    summary: 'Replace this process by a new one without dropping a client; over the admin socket only',
    role: 'operate',
    headers: why,
    answers: [{ status: 200, description: 'The new process serves.', schema: takeoverAnswer }],
    problems: ['HERALD_TAKEOVER_FAILED', 'HERALD_NOT_ALLOWED', ...operations],
  },
} as const satisfies Record<string, RouteSpec>;
