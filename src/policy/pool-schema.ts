// The schemas of what a pool holds: routes and static nodes.
import { z } from 'zod';
import { address, count, field, name, text } from './field.ts';
import { httpPath } from './policy-choices.ts';
import { showValue, type Reading } from './quantity.ts';

function readRouteHost(value: unknown): Reading<string> {
  if (typeof value !== 'string') {
    return {
      message: `${showValue(value)} is not a host`,
      hint: 'a host name, "*.example.com" or "*", in quotes',
    };
  }
  if (
    value === '*' ||
    /^(\*\.)?[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(value) ||
    /^\[[0-9A-Fa-f:.]+\]$/.test(value)
  ) {
    return { value: value.toLowerCase() };
  }
  const hint = /:\d+$/.test(value) ? 'leave the port out' : 'a host name, "*.example.com" or "*"';
  return { message: `${showValue(value)} is not a host`, hint };
}

/** One entry of `routes`. */
export const routeSchema = z.strictObject({
  host: field(readRouteHost, {
    type: 'string',
    examples: ['*', 'chat.example.com', '*.example.com'],
    unit: 'host name, `*.` and a host name, or `*`',
  })
    .prefault('*')
    .describe('Host of the request.'),
  path: httpPath().prefault('/').describe('Prefix of the path of the request.'),
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
