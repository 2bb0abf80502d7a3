// The schema of `kind: Config`: every key with its meaning, unit, range and default. The JSON schema and
// docs/reference/config.md are generated from it. Checks across sections stand in config-checks.ts.
import { z } from 'zod';
import {
  address,
  cidr,
  count,
  duration,
  field,
  name,
  namePattern,
  notAvailable,
  notYet,
  text,
} from './field.ts';
import { nameHint } from './nearest.ts';
import { showValue, type Reading } from './quantity.ts';
import { apiVersion } from './read-document.ts';
import { nodeSchema, routeSchema } from './pool-schema.ts';

/** A field that takes one of `known`; one of `planned` gets an error that says so. */
function planned<const Known extends string>(known: readonly Known[], later: readonly string[]) {
  return field(
    (value): Reading<Known> => {
      const found = known.find((choice) => choice === value);
      if (found !== undefined) return { value: found };
      if (typeof value === 'string' && later.includes(value)) {
        return { message: `${value} is ${notAvailable.message}`, hint: `write ${known[0] ?? ''}` };
      }
      return {
        message: `${showValue(value)} is not ${known.join(' or ')}`,
        hint: nameHint(String(value), []),
      };
    },
    { type: 'string', enum: [...known], unit: known.join(', ') },
  );
}

const timeouts = z
  .strictObject({
    head: duration('100ms', '10m').prefault('10s').describe('A request head must be complete within this.'),
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
  })
  .prefault({})
  .describe('How long things may take.');

const listener = z.strictObject({
  name: name().prefault('public').describe('Name for logs, metrics and HERALD_LISTENERS_<NAME>_BIND.'),
  bind: address(0).describe('Address to listen on; 0.0.0.0 or [::] for every one.'),
  protocol: planned(['http'], ['tcp'])
    .prefault('http')
    .describe('`http`: WebSocket, server-sent events, long polls and plain requests. `tcp` is planned.'),
  tls: notYet().describe('TLS of this listener; planned.'),
  proxyProtocol: planned(['off'], ['accept'])
    .prefault('off')
    .describe('PROXY protocol in front of HTTP; `accept` is planned.'),
  timeouts,
  trusted: z
    .array(cidr())
    .max(256)
    .prefault([])
    .describe('Sources whose X-Forwarded-* headers are believed; empty: nobody.'),
});

const token = z
  .strictObject({
    name: name().describe('Name for logs; unique.'),
    role: z
      .enum(['report', 'read', 'operate'])
      .describe('`report` may report, `read` may see, `operate` may change.'),
    pools: z
      .array(name())
      .min(1)
      .optional()
      .describe('Pools that the token is good for; left out, all of them.'),
    tokenFile: text('path').optional().describe('File that holds the secret, relative to this file.'),
    token: text('text', 4096)
      .optional()
      .describe('The secret itself, 16 characters or more; `tokenFile` keeps it out of this file.'),
  })
  .check((context) => {
    const { tokenFile, token: secret } = context.value;
    const add = (path: string[], message: string, hint: string): void => {
      context.issues.push({ code: 'custom', input: '', path, message, params: { hint } });
    };
    if ((tokenFile === undefined) === (secret === undefined))
      add([], 'needs a tokenFile or a token', 'write one of them');
    const complaint = secret === undefined ? undefined : complainAboutSecret(secret);
    if (complaint !== undefined) add(['token'], complaint, 'such as the output of openssl rand -hex 32');
  });

/** What is wrong with a secret, without showing it; undefined when nothing is. */
export function complainAboutSecret(secret: string): string | undefined {
  if (secret.length < 16) return 'is too short to be a secret: 16 characters or more';
  // RFC 6750 section 2.1 allows these in a bearer token; others would not survive the header.
  return /^[\w.~+/-]+=*$/.test(secret) ? undefined : 'has characters that a bearer token cannot have';
}

const intake = z
  .strictObject({
    bind: address(0).prefault('127.0.0.1:9401').describe('Address for reports, probes and metrics.'),
    register: z
      .strictObject({
        from: z
          .array(cidr())
          .max(256)
          .prefault([])
          .describe('Sources that may register nodes by reporting; empty: nobody.'),
        ports: z
          .array(count(1, 65_535))
          .max(256)
          .prefault([])
          .describe('Ports that such a node may have; empty: any.'),
      })
      .prefault({})
      .describe('Nodes that this file does not name.'),
    tokens: z.array(token).max(256).prefault([]).describe('Who may report from elsewhere than loopback.'),
    tls: notYet().describe('TLS of the intake; planned.'),
  })
  .prefault({})
  .describe('Where agents report.');

const admin = z
  .strictObject({
    socket: text('path')
      .prefault('./run/herald.sock')
      .describe('UNIX socket for the CLI, relative to this file.'),
    bind: notYet().describe('TCP address of the admin API; planned.'),
    tokens: notYet().describe('Tokens of the admin API; planned.'),
    tls: notYet().describe('TLS of the admin API; planned.'),
  })
  .prefault({})
  .describe('Where operators come in.');

const state = z
  .strictObject({
    kind: planned(['memory'], ['redis'])
      .prefault('memory')
      .describe('`memory`: one balancer, nothing to install. `redis` is planned.'),
    url: notYet().describe('Address of Redis; planned.'),
  })
  .prefault({})
  .describe('Where what the balancer knows is kept.');

const log = z
  .strictObject({
    level: z
      .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
      .prefault('info')
      .describe('Least severe level logged.'),
    format: z
      .enum(['json', 'pretty', 'auto'])
      .prefault('auto')
      .describe('`auto`: pretty on a terminal, else JSON.'),
  })
  .prefault({})
  .describe('What is logged.');

const pool = z
  .strictObject({
    policy: name().prefault('default').describe('Name of a policy; `default` exists without a file.'),
    routes: z
      .array(routeSchema)
      .min(1)
      .max(1000)
      .prefault([{ host: '*', path: '/' }])
      .describe('Which requests go to this pool; the longest path of the most exact host wins.'),
    nodes: z
      .array(nodeSchema)
      .max(5000)
      .prefault([])
      .describe('Nodes that are always there; agents register more.'),
  })
  .describe('A set of nodes under one policy.');

/** The schema of herald.yaml. */
export const configSchema = z.strictObject({
  apiVersion: z.literal(apiVersion).describe('Version of the form of this file.'),
  kind: z.literal('Config').describe('What this file is.'),
  listeners: z.array(listener).min(1).max(64).describe('Where clients connect.'),
  intake,
  admin,
  state,
  log,
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
});

/** What the schema makes of herald.yaml. */
export type ConfigDocument = z.output<typeof configSchema>;
