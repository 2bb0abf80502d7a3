// The schemas of what a pool holds: routes and static nodes.
import { z } from 'zod';
import { address, count, field, name, text } from './field.ts';
import { readRouteHost } from './route-host.ts';
import { readRoutePath } from './route-path.ts';

/** One entry of `routes`. */
export const routeSchema = z.strictObject({
  host: field(readRouteHost, {
    type: 'string',
    examples: ['*', 'chat.example.com', '*.example.com'],
    unit: 'host name, `*.` and a host name, or `*`',
  })
    .prefault('*')
    .describe('Host of the request; its port, its case and a final dot do not matter.'),
  path: field(readRoutePath, { type: 'string', pattern: '^/', examples: ['/chat'], unit: 'path' })
    .prefault('/')
    .describe('Path of the request, without its query.'),
  match: z
    .enum(['prefix', 'exact'])
    .prefault('prefix')
    .describe('`prefix`: the path and what lies below it. `exact`: the path alone.'),
});

/** One entry of `nodes`. */
export const nodeSchema = z.strictObject({
  id: name().optional().describe('Unique over all pools; left out, the address.'),
  address: address(1).describe('Where the node takes connections.'),
  capacity: z
    .number()
    .positive()
    .max(1000)
    .optional()
    .meta({ unit: 'number above 0, up to 1000' })
    .describe('Size relative to the other nodes; left out, learned.'),
  zone: text('text', 64).optional().describe('Zone, for people and for routing.'),
  maxConnections: count(1, 10_000_000)
    .optional()
    .describe('Connections that the node takes at most; left out, no limit.'),
});
