// The route about workers, and what it answers.
import { z } from 'zod';
import type { RouteSpec } from './route-spec.ts';

const whole = () => z.number().int().min(0);

const workersAnswer = z.strictObject({
  workers: z
    .array(
      z.strictObject({
        worker: z.number().int().min(1),
        pid: whole().describe('0 while there is no process.'),
        state: z
          .enum(['starting', 'serving', 'waiting', 'ended'])
          .describe('`waiting`: the process has ended, and the next one begins in a moment.'),
        connections: whole().describe('Connections and exchanges under way.'),
        restarts: whole().describe('Processes that had to be replaced here since the start.'),
        ageMs: whole().describe('How long the process serves; 0 while it does not.'),
        cpuSeconds: z.number().min(0).describe('Of the process since it began.'),
        residentBytes: whole().describe('Memory of the process.'),
        lagMs: z
          .number()
          .min(0)
          .describe('99th percentile of how late its event loop was in the last second.'),
      }),
    )
    .describe('Empty where the main process relays itself.'),
});

/** By operation id. */
export const workerRoutes = {
  listWorkers: {
    method: 'GET',
    path: '/v1/workers',
    summary: 'The processes of this balancer that relay',
    role: 'read',
    answers: [{ status: 200, description: 'As they stand.', schema: workersAnswer }],
  },
} as const satisfies Record<string, RouteSpec>;
