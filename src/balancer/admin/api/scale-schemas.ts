// Schema of what is answered about scaling. The type of protocol/ is the truth; the compiler checks one by the other.
import { z } from 'zod';
import type { Scaling } from '../../../protocol/scaling.ts';
import { maybeNumber } from './pool-schemas.ts';

const count = z.int().min(0);

/** `GET /v1/pools/{pool}/scaling` */
export const scaling: z.ZodType<Scaling> = z.object({
  pool: z.string(),
  at: z.string().describe('When it was computed: ISO 8601, UTC.'),
  state: z
    .enum(['known', 'unknown'])
    .describe('`unknown`: no valid load data; loads are null and `desiredNodes` is what there is.'),
  action: z.enum(['out', 'in', 'hold']),
  desiredNodes: count.describe('Nodes there should be, window and steps of the policy applied.'),
  wantedNodes: count.nullable().describe('Without window and steps: for autoscalers that have their own.'),
  nodes: count.describe('Nodes that serve or are starting.'),
  startingNodes: count,
  load: maybeNumber.describe('Mean utilization: totalLoad ÷ capacity.'),
  totalLoad: maybeNumber.describe('In nodes at saturation, without windows: divide it by `target`.'),
  forecastLoad: maybeNumber.describe('The same when a node that is started now would serve.'),
  capacity: maybeNumber.describe('Of the nodes that count, in nodes of the usual size.'),
  target: z.number().describe('Utilization that it aims at, 0..1.'),
  min: count,
  max: count,
  bottleneck: z.string().describe('The signal that fills the nodes first; empty when there is none.'),
  isActive: z.boolean().describe('Whether the pool should run at all: true while `min` is 1 or more.'),
  isFrozen: z.boolean().describe('Automatic actions are stopped: drivers do nothing.'),
  reason: z.string().describe('One sentence with the figures.'),
  victims: z
    .array(
      z.object({
        id: z.string(),
        zone: z.string(),
        connections: count,
        reason: z.string(),
      }),
    )
    .describe('Nodes that a scale-in takes, the cheapest to drain first.'),
});
