// The route of Agones' FleetAutoscaler webhook. It needs no token, since Agones cannot send one, and changes nothing.
import type { HttpContext, HttpRoutes } from '../../platform/http-app.ts';
import { readJson } from '../../platform/http-body.ts';
import { HeraldError } from '../../core/error.ts';
import type { ScaleFeed } from '../control/ports.ts';
import { answerReview, readReview } from './agones-review.ts';

/** A review carries the labels and annotations of its fleet. */
const maxReviewBytes = 64 * 1024;

/** `/v1/hooks/agones?pool=`, and `/v1/hooks/agones/{pool}` for Agones' `service`, whose path takes no query. */
export function agonesRoutes(feed: ScaleFeed): HttpRoutes {
  const answer = async (context: HttpContext, pool: string): Promise<Response> => {
    const body = await readJson(context, { maxBytes: maxReviewBytes, invalid: 'HERALD_BODY_INVALID' });
    const review = readReview(body);
    return context.json({ ...review, response: answerReview(review, feed.scaling(pool)) });
  };
  return {
    '/v1/hooks/agones': { POST: (context) => answer(context, poolInQuery(context)) },
    '/v1/hooks/agones/:pool': {
      POST(context) {
        refuseQuery(context, []);
        return answer(context, context.req.param('pool') ?? '');
      },
    },
  };
}

function poolInQuery(context: HttpContext): string {
  refuseQuery(context, ['pool']);
  const pool = context.req.query('pool') ?? '';
  if (pool !== '') return pool;
  throw new HeraldError('HERALD_QUERY_INVALID', "say which pool with '?pool=', or in the path");
}

function refuseQuery({ req }: HttpContext, known: readonly string[]): void {
  for (const [key, values] of Object.entries(req.queries()))
    if (!known.includes(key) || values.length > 1)
      throw new HeraldError('HERALD_QUERY_INVALID', `'${key.slice(0, 64)}' is not taken in this query`);
}
