// Refusals on an HTTP exchange that node:http holds. What is told to whom is decided in refuse.ts.
import type { ServerResponse } from 'node:http';
import { problemBody, problemFields, statusOf } from '../../protocol/http-error.ts';
import type { HeadFields } from '../../protocol/http-head.ts';
import type { Problem } from '../../protocol/problem.ts';
import type { ProxyDeps } from './ports.ts';
import { eventStreamRefusal, isEventSource, passesByWaiting } from './refuse.ts';

// What is left of the request is not read.
const endsConnection: ReadonlySet<string> = new Set(['HERALD_REQUEST_INVALID', 'HERALD_BODY_TOO_LARGE']);

/** Where a refusal goes. */
export interface RefusedExchange {
  readonly deps: Pick<ProxyDeps, 'events'>;
  readonly response: ServerResponse;
  /** '' when no route matched. */
  readonly pool: string;
  /** Fields to add to the head, names and values in turn; absent: none. */
  readonly more?: HeadFields;
}

/** Answers with `problem`. Nothing of another answer may have been sent. */
export function respondProblem({ deps, response, pool, more = [] }: RefusedExchange, problem: Problem): void {
  deps.events.refused(pool, problem.code);
  if (passesByWaiting(problem) && isEventSource(response.req.rawHeaders)) {
    response.writeHead(200, ['Content-Type', 'text/event-stream', 'Cache-Control', 'no-store', ...more]);
    response.end(eventStreamRefusal(problem));
    return;
  }
  const body = problemBody(problem);
  const fields = [...problemFields(problem, body), ...more];
  // A request that breaks a rule may have been cut elsewhere than we think: nothing after it is believed.
  if (endsConnection.has(problem.code)) fields.push('Connection', 'close');
  response.writeHead(statusOf(problem), fields);
  response.end(body);
}
