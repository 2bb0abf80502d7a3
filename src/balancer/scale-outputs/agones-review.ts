// Agones' FleetAutoscaler webhook: what a review is answered, given a recommendation. Pure.
import { z } from 'zod';
import { HeraldError } from '../../core/error.ts';
import type { Scaling } from '../../protocol/scaling.ts';

const size = z.int().min(0);

/** What Agones sends: members that it adds one day are let through. */
const review = z.looseObject({
  request: z.looseObject({
    uid: z.string().min(1).max(128),
    name: z.string().max(253),
    namespace: z.string().max(253),
    status: z.looseObject({ replicas: size }),
  }),
});

/** A review as it was sent. */
export type AgonesReview = z.output<typeof review>;

/** What Agones reads, and a reason for people, which it ignores. */
export interface AgonesResponse {
  readonly uid: string;
  /** False: the fleet stays as it is. */
  readonly scale: boolean;
  /** The replicas there are, where `scale` is false. */
  readonly replicas: number;
  readonly reason: string;
}

/** Reads a review. HERALD_BODY_INVALID names what is wrong. */
export function readReview(body: unknown): AgonesReview {
  const result = review.safeParse(body);
  if (result.success) return result.data;
  const problems = result.error.issues
    .slice(0, 20)
    .map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new HeraldError('HERALD_BODY_INVALID', `this is no review of Agones: ${problems.join('; ')}`);
}

/**
 * Replicas by the recommendation. Never fewer than there are unless the recommendation is to scale in, on load data
 * that are valid, and every replica is a node that counts: one that has not registered yet, drains or is down would
 * else be taken for one too many.
 */
export function answerReview({ request }: AgonesReview, scaling: Scaling): AgonesResponse {
  const { uid } = request;
  const { replicas } = request.status;
  const hold = (reason: string): AgonesResponse => ({ uid, scale: false, replicas, reason });
  if (scaling.isFrozen) return hold(`Pool '${scaling.pool}' is frozen.`);
  if (scaling.state === 'unknown') return hold(`The load is not known: ${scaling.reason}`);
  const { desiredNodes, nodes, action, reason } = scaling;
  if (desiredNodes > replicas) return { uid, scale: true, replicas: desiredNodes, reason };
  if (desiredNodes === replicas) return hold(reason);
  if (action !== 'in') return hold(`${replicas} replicas, of which ${nodes} are nodes that count. ${reason}`);
  if (replicas > nodes)
    return hold(
      `${replicas} replicas, but only ${nodes} nodes that count: the rest may be starting or draining.`,
    );
  return { uid, scale: true, replicas: desiredNodes, reason };
}
