// An admin API over a registry, on a socket and on request on TCP, for tests with real sockets.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Agent, type Dispatcher, request } from 'undici';
import { createAdmin, type Admin, type AdminDeps, type AdminTcp } from '../../src/balancer/admin/admin.ts';
import { createEventFeed } from '../../src/balancer/control/event-feed.ts';
import type { EventFeed } from '../../src/balancer/control/ports.ts';
import type { Registry } from '../../src/balancer/state/registry.ts';
import type { Clock } from '../../src/core/clock.ts';
import { defaultHttpLimits } from '../../src/platform/http-server.ts';
import { createPolicyFiles } from '../../src/platform/policy-files.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { anOpenPolicy } from './a-policy.ts';

export const secrets = {
  reader: 'reader-secret-0123456789',
  operator: 'operator-secret-0123456789',
  chatOnly: 'chat-only-secret-0123456789',
} as const;

/** One who reads, one who operates, one who operates pool `chat` only; as `tcp` of an admin on a free port. */
export function aTcp(parts: Partial<AdminTcp> = {}): AdminTcp {
  return {
    bind: { host: '127.0.0.1', port: 0 },
    hosts: ['herald.test'],
    tokens: [
      { name: 'reader', role: 'read', pools: 'all', secret: secrets.reader },
      { name: 'operator', role: 'operate', pools: 'all', secret: secrets.operator },
      { name: 'chat-only', role: 'operate', pools: ['chat'], secret: secrets.chatOnly },
    ],
    tls: undefined,
    ...parts,
  };
}

export interface Answered {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly json: unknown;
  readonly text: string;
}

export interface Ask {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Over TCP with this secret; left out, over the socket. */
  readonly as?: string;
}

export interface RunningAdmin extends AsyncDisposable {
  readonly admin: Admin;
  readonly socketPath: string;
  /** Of TCP; 0 without it. */
  readonly port: number;
  readonly policiesDirectory: string;
  readonly feed: EventFeed;
  readonly notes: { readonly event: string; readonly facts: Readonly<Record<string, unknown>> }[];
  readonly internalErrors: unknown[];
  ask(method: string, path: string, how?: Ask): Promise<Answered>;
}

/** Starts it; `await using` or the disposer stops it. Its state stands on `stateClock`, its waiting on the system's. */
export async function anAdmin(
  registry: Registry,
  change: Partial<AdminDeps> & { stateClock?: Clock } = {},
): Promise<RunningAdmin> {
  const directory = await mkdtemp(join(tmpdir(), 'ha-'));
  const socketPath = join(directory, 'h.sock');
  const real = createSystemClock();
  const { stateClock = real, ...deps } = change;
  const clock = { ...real, nowMs: () => stateClock.nowMs() };
  const feed = createEventFeed(real);
  const notes: RunningAdmin['notes'] = [];
  const internalErrors: unknown[] = [];
  const admin = createAdmin({
    socketPath,
    registry,
    clock,
    control: undefined,
    feed,
    policies: () => [anOpenPolicy(), anOpenPolicy({ name: 'games' })],
    policyFiles: createPolicyFiles(directory),
    version: '0.0.0',
    note: (event, facts) => notes.push({ event, facts }),
    onInternalError: (error) => internalErrors.push(error),
    limits: { ...defaultHttpLimits, stopGraceMs: 100 },
    ...deps,
  });
  const port = await admin.start();
  const overSocket = new Agent({ connect: { socketPath } });
  const overTcp = new Agent();
  return {
    admin,
    socketPath,
    port,
    policiesDirectory: directory,
    feed: deps.feed ?? feed,
    notes,
    internalErrors,
    ask: (method, path, { as, ...how } = {}) =>
      as === undefined
        ? send(overSocket, `http://localhost${path}`, method, how)
        : send(overTcp, `http://127.0.0.1:${port}${path}`, method, {
            ...how,
            headers: { authorization: `Bearer ${as}`, ...how.headers },
          }),
    async [Symbol.asyncDispose]() {
      await Promise.all([overSocket.destroy(), overTcp.destroy()]);
      await admin.stop();
      await rm(directory, { recursive: true });
    },
  };
}

async function send(
  dispatcher: Dispatcher,
  url: string,
  method: string,
  { body, headers = {} }: Omit<Ask, 'as'>,
): Promise<Answered> {
  const response = await request(url, {
    dispatcher,
    // Proof of the cast: undici takes any token, and the tests send known ones.
    method: method as Dispatcher.HttpMethod,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
  });
  const text = await response.body.text();
  const isJson = /json/.test(String(response.headers['content-type']));
  const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined;
  return { status: response.statusCode, headers: response.headers, json, text };
}
