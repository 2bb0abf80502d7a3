// The routes of the intake, for the API's document. The intake answers them by itself: rooms do not import each other.
import { z } from 'zod';
import { readyAnswer } from './explain-schemas.ts';
import { adminStateAnswer } from './operation-schemas.ts';
import type { RouteSpec } from './route-spec.ts';

const selfDrain = {
  path: '/v1/self/drain',
  role: 'open',
  listener: 'intake',
  query: z.strictObject({
    node: z.string().exactOptional().describe('Which of several nodes at this address.'),
    wait: z
      .enum(['true', 'false'])
      .exactOptional()
      .describe('Answer only when it is drained or its deadline has passed.'),
    deadlineMs: z.string().regex(/^\d+$/).exactOptional().describe('1 to 3600000.'),
  }),
  answers: [{ status: 200, description: 'The drain as it stands.', schema: adminStateAnswer }],
  problems: ['HERALD_NODE_UNKNOWN', 'HERALD_NOT_AVAILABLE', 'HERALD_TOO_MANY_STREAMS'],
} as const;

/** Routes of the intake by operation id; /healthz is the same on both listeners. */
export const intakeRoutes = {
  postReport: {
    method: 'POST',
    path: '/v1/reports',
    summary: 'What an agent tells of its node',
    role: 'open',
    listener: 'intake',
    body: z.record(z.string(), z.unknown()).describe('See docs/reference/report.md.'),
    answers: [
      {
        status: 200,
        description: 'Directives for the node.',
        schema: z.object({ directives: z.record(z.string(), z.unknown()) }),
      },
    ],
    problems: [
      'HERALD_REPORT_INVALID',
      'HERALD_REPORT_STALE',
      'HERALD_REPORT_NOT_ALLOWED',
      'HERALD_NODE_ID_TAKEN',
    ],
  },
  drainSelfByGet: {
    ...selfDrain,
    method: 'GET',
    summary: 'A node drains itself, where only GET can be sent',
  },
  drainSelf: { ...selfDrain, method: 'POST', summary: 'A node drains itself' },
  getReady: {
    method: 'GET',
    path: '/readyz',
    summary: 'Whether clients may be sent here',
    role: 'open',
    listener: 'intake',
    answers: [{ status: 200, description: 'They may; else 503 with the same members.', schema: readyAnswer }],
  },
  getMetrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics for Prometheus',
    role: 'open',
    listener: 'intake',
    answers: [
      {
        status: 200,
        description: 'See docs/reference/metrics.md.',
        schema: z.string(),
        mediaType: 'text/plain',
      },
    ],
  },
} as const satisfies Record<string, RouteSpec>;
