// The schema of `kind: Config`: every key with its meaning, unit, range and default. The JSON schema and
// docs/reference/config.md are generated from it. Checks across sections stand in config-checks.ts.
import { z } from 'zod';
import { log } from './log-schema.ts';
import { accessLogSchema } from './access-log-schema.ts';
import { asgSchema } from './asg-schema.ts';
import { kedaSchema } from './keda-schema.ts';
import { adminSchema, tlsSchema, tokenSchema } from './access-schema.ts';
import { address, cidr, count, field, list, name, namePattern, orOff, size, text } from './field.ts';
import { showValue, type Reading } from './quantity.ts';
import { listenerSchema } from './listener-schema.ts';
import { poolTlsSchema } from './listener-tls-schema.ts';
import { apiVersion } from './read-document.ts';
import { driverSchema } from './driver-schema.ts';
import { forwardingSchema } from './forwarding-schema.ts';
import { nodeSchema, routeSchema } from './pool-schema.ts';
import { webhookSchema } from './webhook-schema.ts';
import { stateSchema } from './state-schema.ts';

const intake = z
  .strictObject({
    bind: address(0).prefault('127.0.0.1:9401').describe('Address for reports, probes and metrics.'),
    register: z
      .strictObject({
        from: list(cidr(), 0, 256)
          .prefault([])
          .describe('Sources that may register nodes by reporting; empty: nobody.'),
        ports: list(count(1, 65_535), 0, 256)
          .prefault([])
          .describe('Ports that such a node may have; empty: any.'),
      })
      .prefault({})
      .describe('Nodes that this file does not name.'),
    tokens: list(tokenSchema, 0, 256).prefault([]).describe('Who may report from elsewhere than loopback.'),
    tls: tlsSchema
      .optional()
      .describe('TLS of the intake, probes and metrics included. Read again when a file changes.'),
  })
  .prefault({})
  .describe('Where agents report.');

const affinity = z
  .strictObject({
    keyFiles: list(text('path'), 0, 8)
      .prefault([])
      .describe(
        'Files with the keys of affinity cookies, relative to this file: the first signs, all are believed. Without a key cookies are not signed. Read again when a file changes.',
      ),
  })
  .prefault({})
  .describe('What affinity of the policies takes beside them.');

const relay = z
  .strictObject({
    form: z
      .enum(['auto', 'fast', 'plain'])
      .prefault('auto')
      .describe(
        'How bytes are carried. `fast`: raw handles, one read buffer; `plain`: documented sockets only; `auto`: fast where it proves itself at start.',
      ),
    buffered: size('1MiB', '64GiB')
      .prefault('256MiB')
      .describe(
        'Bytes that may wait for slow clients, all tunnels together; past it the client that has kept them waiting longest is reset.',
      ),
  })
  .prefault({})
  .describe('The relay.');

const workers = field(readWorkers, {
  anyOf: [{ type: 'integer', minimum: 0, maximum: 64 }, { const: 'auto' }],
  examples: ['auto', '4'],
  unit: 'whole number, 0 to 64, or auto',
})
  .prefault('auto')
  .describe(
    'Processes that accept and relay, beside the main one, which takes in reports, answers operators and scrapers, and decides. `auto`: one for each processor that may be used (the quota of a container counts), 16 at most; 0: the main process relays itself.',
  );

const takeover = z
  .strictObject({
    relayFor: orOff('duration', '1s', '30d')
      .prefault('1h')
      .describe(
        'How long a process that has been replaced relays the connections it has; then it asks them to leave within `--grace`, as on SIGTERM. `off`: as long as they last.',
      ),
  })
  .prefault({})
  .describe('Replacing the process by a new one without dropping a client.');

const pool = z
  .strictObject({
    policy: name().prefault('default').describe('Name of a policy; `default` exists without a file.'),
    routes: list(routeSchema, 1, 1000)
      .prefault([{ host: '*', path: '/' }])
      .describe(
        'Which requests go to this pool; the longest path of the most exact host wins, in whatever order.',
      ),
    nodes: list(nodeSchema, 0, 5000)
      .prefault([])
      .describe('Nodes that are always there; agents register more.'),
    tls: poolTlsSchema
      .optional()
      .describe('TLS to the nodes, health checks included; left out, plain. Taken over when a file changes.'),
    proxyProtocol: z
      .enum(['off', 'v1', 'v2'])
      .prefault('off')
      .describe('PROXY header in front of every connection to a node, which then must expect it.'),
  })
  .describe('A set of nodes under one policy.');

function readWorkers(value: unknown): Reading<number | 'auto'> {
  if (value === 'auto') return { value };
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 64) return { value };
  return {
    message: `${showValue(value)} is no number of workers`,
    hint: 'a whole number from 0 to 64, or auto',
  };
}

/** The schema of herald.yaml. */
export const configSchema = z.strictObject({
  apiVersion: z.literal(apiVersion).describe('Version of the form of this file.'),
  kind: z.literal('Config').describe('What this file is.'),
  listeners: list(listenerSchema, 1, 64).describe('Where clients connect.'),
  intake,
  admin: adminSchema,
  keda: kedaSchema,
  asg: asgSchema,
  state: stateSchema,
  log,
  accessLog: accessLogSchema,
  relay,
  workers,
  affinity,
  forwarding: forwardingSchema,
  takeover,
  policies: text('path')
    .prefault('./policies')
    .describe('Directory of policy files (*.yaml, *.yml), relative to this file.'),
  pools: z
    .record(z.string().regex(namePattern), pool)
    .refine((pools) => Object.keys(pools).length > 0, {
      error: 'there is no pool',
      params: { hint: 'name one, with its nodes' },
    })
    .describe('The pools by name.'),
  webhooks: list(webhookSchema, 0, 16)
    .prefault([])
    .describe('Who is told of events. Taken over when the file changes.'),
  drivers: list(driverSchema, 0, 64)
    .prefault([])
    .describe('What starts and stops nodes. Taken over when the file changes.'),
});

/** What the schema makes of herald.yaml. */
export type ConfigDocument = z.output<typeof configSchema>;
