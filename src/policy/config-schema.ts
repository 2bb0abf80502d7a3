// The schema of `kind: Config`: every key with its meaning, unit, range and default. The JSON schema and
// docs/reference/config.md are generated from it. Checks across sections stand in config-checks.ts.
import { z } from 'zod';
import { address, cidr, count, field, list, name, namePattern, notYet, text } from './field.ts';
import type { Reading } from './quantity.ts';
import { listenerSchema } from './listener-schema.ts';
import { planned } from './planned.ts';
import { apiVersion } from './read-document.ts';
import { nodeSchema, routeSchema } from './pool-schema.ts';

/** Reads a secret; no complaint shows any of it. */
function readSecret(value: unknown): Reading<string> {
  const message = typeof value === 'string' ? complainAboutSecret(value) : 'is not text: put it in quotes';
  if (typeof value === 'string' && message === undefined) return { value };
  return { message: message ?? '', hint: 'such as the output of openssl rand -hex 32' };
}

const token = z
  .strictObject({
    name: name().describe('Name for logs; unique.'),
    role: z
      .enum(['report', 'read', 'operate'])
      .describe('`report` may report, `read` may see, `operate` may change.'),
    pools: list(name(), 1, 256)
      .optional()
      .describe('Pools that the token is good for; left out, all of them.'),
    tokenFile: text('path').optional().describe('File that holds the secret, relative to this file.'),
    token: field(readSecret, { type: 'string', unit: 'text' })
      .optional()
      .describe('The secret itself, 16 characters or more; `tokenFile` keeps it out of this file.'),
  })
  .check((context) => {
    const { tokenFile, token: secret } = context.value;
    if ((tokenFile === undefined) !== (secret === undefined)) return;
    const params = { hint: 'write one of them' };
    context.issues.push({ code: 'custom', input: '', message: 'needs a tokenFile or a token', params });
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
        from: list(cidr(), 0, 256)
          .prefault([])
          .describe('Sources that may register nodes by reporting; empty: nobody.'),
        ports: list(count(1, 65_535), 0, 256)
          .prefault([])
          .describe('Ports that such a node may have; empty: any.'),
      })
      .prefault({})
      .describe('Nodes that this file does not name.'),
    tokens: list(token, 0, 256).prefault([]).describe('Who may report from elsewhere than loopback.'),
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
    file: text('path, or off')
      .optional()
      .describe(
        'File that keeps what nodes have taught over a restart, relative to this file; left out, herald-state.json beside the admin socket. `off`: nothing is kept.',
      ),
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

const relay = z
  .strictObject({
    form: z
      .enum(['auto', 'fast', 'plain'])
      .prefault('auto')
      .describe(
        'How bytes are carried. `fast`: raw handles, one read buffer; `plain`: documented sockets only; `auto`: fast where it proves itself at start.',
      ),
  })
  .prefault({})
  .describe('The relay.');

const pool = z
  .strictObject({
    policy: name().prefault('default').describe('Name of a policy; `default` exists without a file.'),
    routes: list(routeSchema, 1, 1000)
      .prefault([{ host: '*', path: '/' }])
      .describe('Which requests go to this pool; the longest path of the most exact host wins.'),
    nodes: list(nodeSchema, 0, 5000)
      .prefault([])
      .describe('Nodes that are always there; agents register more.'),
  })
  .describe('A set of nodes under one policy.');

/** The schema of herald.yaml. */
export const configSchema = z.strictObject({
  apiVersion: z.literal(apiVersion).describe('Version of the form of this file.'),
  kind: z.literal('Config').describe('What this file is.'),
  listeners: list(listenerSchema, 1, 64).describe('Where clients connect.'),
  intake,
  admin,
  state,
  log,
  relay,
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
