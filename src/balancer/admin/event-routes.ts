// The stream of events as the API opens it: who may hear which.
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { EventRecord } from '../../protocol/operations.ts';
import type { EventStreams } from './event-streams.ts';
import type { HandlersOf } from './handlers.ts';

export function eventHandlers({ streams }: { streams: EventStreams }): HandlersOf<'followEvents'> {
  return {
    followEvents({ context, view, caller, query }) {
      if (query.pool !== undefined) view.pool(query.pool);
      // The answer to HEAD has no body: it would wait for ever for events that nobody is sent.
      if (context.req.method === 'HEAD')
        return { status: 200, headers: { 'Content-Type': 'text/event-stream' } };
      const isWanted = typeFilter(query.type);
      streams.open(context.env.outgoing, {
        by: caller.by,
        lastEventId: context.req.header('last-event-id') ?? query.since,
        wants(event) {
          if (query.pool !== undefined && event.pool !== query.pool) return false;
          // What concerns no pool, such as a change of a policy, can name any: it is for who may see all of them.
          const isInScope = event.pool === '' ? caller.pools === 'all' : view.sees(event.pool);
          return isInScope && isWanted(event);
        },
      });
      return { status: 200, stream: RESPONSE_ALREADY_SENT };
    },
  };
}

/** `node.joined,operation.*`; left out: every type. */
function typeFilter(types: string | undefined): (event: EventRecord) => boolean {
  if (types === undefined) return () => true;
  const wanted = types.split(',');
  const exact = new Set(wanted);
  const starts = wanted.filter((each) => each.endsWith('*')).map((each) => each.slice(0, -1));
  return ({ type }) => exact.has(type) || starts.some((start) => type.startsWith(start));
}
