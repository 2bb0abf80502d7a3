// The schema of a listener.
import { z } from 'zod';
import { cidr, duration, ipLiteral, list, name, orOff } from './field.ts';
import { limitsSchema } from './limits-schema.ts';
import { listenerBind, listenerTlsSchema, socketMode } from './listener-tls-schema.ts';

const timeouts = z
  .strictObject({
    head: duration('100ms', '10m')
      .prefault('10s')
      .describe('A PROXY header, a TLS handshake and a request head must each be complete within this.'),
    dial: duration('10ms', '5m')
      .prefault('5s')
      .describe('A node must have accepted the connection within this.'),
    handshake: duration('10ms', '10m')
      .prefault('10s')
      .describe('A node must have answered an upgrade within this.'),
    tunnelIdle: duration('0s', '168h')
      .prefault('1h')
      .describe('A relayed connection that carries nothing for this long is closed; 0s is off.'),
    requestIdle: duration('100ms', '24h')
      .prefault('75s')
      .describe(
        'A client connection without a request, or a request without progress, is closed after this.',
      ),
    keepAlive: duration('100ms', '1h')
      .prefault('60s')
      .describe('A client connection between two requests is closed after this.'),
    stall: orOff('duration', '1s', '24h')
      .prefault('60s')
      .describe('A client that takes nothing of what waits for it for this long is reset.'),
  })
  .prefault({})
  .describe('How long things may take.');

/** One entry of `listeners`. */
export const listenerSchema = z.strictObject({
  name: name().prefault('public').describe('Name for logs, metrics and HERALD_LISTENERS_<NAME>_BIND.'),
  bind: listenerBind().describe(
    'Where to listen: an address, 0.0.0.0 for every one of IPv4, [::] for every one of both; or a UNIX socket.',
  ),
  mode: socketMode().optional().describe('Permissions of the UNIX socket; left out, "0660".'),
  protocol: z
    .enum(['http', 'tcp'])
    .prefault('http')
    .describe(
      '`http`: WebSocket, server-sent events, long polls and plain requests. `tcp`: bytes of any protocol, all to `pool`.',
    ),
  pool: name()
    .optional()
    .describe('The pool of a `tcp` listener; `http` finds it by the routes of the pools.'),
  tls: listenerTlsSchema
    .optional()
    .describe(
      'TLS of this listener; left out, plain: on a `tcp` listener what passes may be TLS, which the nodes answer. Read again when a file changes.',
    ),
  proxyProtocol: z
    .enum(['off', 'required'])
    .prefault('off')
    .describe(
      '`required`: every connection begins with a PROXY header, version 1 or 2, and comes from a `trusted` source; others are closed.',
    ),
  sourceAddresses: list(ipLiteral(), 0, 256)
    .prefault([])
    .describe(
      'Local addresses to dial nodes from, in turn; empty: the kernel chooses. Each has some 28,000 ports.',
    ),
  timeouts,
  limits: limitsSchema,
  trusted: list(cidr(), 0, 256)
    .prefault([])
    .describe(
      'Sources whose X-Forwarded-* headers, and whose PROXY headers where they are required, are believed; empty: nobody.',
    ),
});
