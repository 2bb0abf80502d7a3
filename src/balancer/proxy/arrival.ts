// What is found out about a request before it is placed: whose it is, how it is marked, and its story.
import type { AccessStory } from './access.ts';
import type { AffinityRequest } from './affinity.ts';
import { clientOf, type Client, type Origin } from './client.ts';
import { marksOf, type Marks } from './marks.ts';
import type { ProxyDeps } from './ports.ts';
import type { RequestHead } from './request-head.ts';

/** A request that has come. */
interface ArrivingRequest {
  /** What stands for the client's connection: requests over the same one have the same. */
  readonly connection: object;
  readonly origin: Origin;
  readonly head: RequestHead;
  readonly method: string;
  readonly pool: string;
}

/** What is known of it. */
export interface Arrival {
  readonly client: Client;
  readonly marks: Marks;
  /** Undefined: nothing is logged of it. */
  readonly story: AccessStory | undefined;
  readonly affinityRequest: AffinityRequest;
}

/** Finds it out, once for each request. */
export function arrivalOf(
  deps: Pick<ProxyDeps, 'trusted' | 'clock' | 'rng' | 'marks' | 'access'>,
  { connection, origin, head, method, pool }: ArrivingRequest,
): Arrival {
  const client = clientOf(deps, origin, head.fields);
  const marks = marksOf(deps, head.fields, client);
  const { requestId } = marks;
  const story = deps.access?.({ connection, client, head, method, pool, requestId });
  return { client, marks, story, affinityRequest: { pool, head, client } };
}
