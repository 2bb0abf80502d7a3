// The routes that autoscalers of others call, for the API's document. They are served on the intake (ADR 0022).
import { z } from 'zod';
import type { RouteSpec } from './route-spec.ts';

const agones = {
  method: 'POST',
  role: 'open',
  listener: 'intake',
  body: z
    .record(z.string(), z.unknown())
    .describe('A FleetAutoscaleReview as Agones sends it, with `request.uid` and `request.status.replicas`.'),
  answers: [
    {
      status: 200,
      description: 'The review with its response.',
      schema: z.object({
        response: z.object({
          uid: z.string(),
          scale: z.boolean().describe('False: the fleet stays as it is.'),
          replicas: z.int(),
          reason: z.string().describe('For people; Agones ignores it.'),
        }),
      }),
    },
  ],
  problems: ['HERALD_BODY_INVALID', 'HERALD_POOL_UNKNOWN', 'HERALD_NOT_AVAILABLE'],
} as const;

/** Routes of hooks by operation id. */
export const hookRoutes = {
  reviewFleet: {
    ...agones,
    path: '/v1/hooks/agones',
    summary: "Agones' FleetAutoscaler webhook, by URL",
    query: z.strictObject({ pool: z.string().describe('The pool that the fleet is.') }),
  },
  reviewFleetOfPool: {
    ...agones,
    path: '/v1/hooks/agones/{pool}',
    summary: "Agones' FleetAutoscaler webhook, by service, whose path takes no query",
  },
  takeLifecycleEvent: {
    method: 'POST',
    path: '/v1/hooks/asg',
    summary: 'A lifecycle event of AWS Auto Scaling: drains the nodes on the instance, then lets AWS go on',
    role: 'operate',
    listener: 'intake',
    body: z
      .record(z.string(), z.unknown())
      .describe('An event of EventBridge, `EC2 Instance-terminate Lifecycle Action`.'),
    answers: [
      {
        status: 202,
        description: 'How the instance stands; the same for an event that comes twice.',
        schema: z.object({
          state: z.enum(['ignored', 'looking', 'draining', 'completing', 'completed', 'failed', 'leftAlone']),
          instance: z.string(),
          nodes: z.array(z.string()),
          operations: z.array(z.string()).describe('Drains, as `GET /v1/operations/{id}` shows them.'),
          reason: z.string(),
        }),
      },
    ],
    problems: [
      'HERALD_BODY_INVALID',
      'HERALD_NOT_ALLOWED',
      'HERALD_NOT_AVAILABLE',
      'HERALD_TOO_MANY_REQUESTS',
    ],
  },
} as const satisfies Record<string, RouteSpec>;
