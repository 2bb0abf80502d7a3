// One active check of one node: does it answer at all?
import { connect, type Socket } from 'node:net';
import { Client, request } from 'undici';
import { localErrorCodes } from '../../core/local-error.ts';
import type { Clock } from '../../core/clock.ts';
import {
  bareLink,
  headerFor,
  nodeConnector,
  nodeTlsError,
  type NodeConnection,
  type NodeLinks,
} from '../../platform/node-links.ts';
import { formatAddress, type Address } from '../../policy/address.ts';
import type { Policy } from '../../policy/policy.ts';
import { probeWebSocket } from './probe-websocket.ts';

/** A check as a policy asks for it. */
export type CheckRule = Exclude<Policy['health']['check'], { kind: 'off' }>;

/**
 * Checks a node of a pool once. '' when it passes, else the reason for people; undefined when it could not be asked for
 * want of something of our own. Never rejects.
 */
export type Probe = (target: ProbedNode, rule: CheckRule) => Promise<string | undefined>;

/** Who is asked. */
export interface ProbedNode extends Address {
  readonly pool: string;
}

/** The probe over real sockets, which begin as those of clients do. */
export function createProbe(clock: Clock, linkOf: NodeLinks['linkOf'] = () => bareLink): Probe {
  return async ({ host, port, pool }, rule) => {
    const stop = new AbortController();
    const timer = clock.schedule(rule.timeoutMs, () => stop.abort());
    const node = { host, port };
    const connection = {
      link: linkOf(pool),
      node,
      ends: 'own',
      clock,
      timeoutMs: rule.timeoutMs,
    } as const;
    try {
      await probes[rule.kind](connection, rule, stop.signal);
      return '';
    } catch (error) {
      if (stop.signal.aborted) return `check: no answer within ${rule.timeoutMs} ms`;
      if (isOurs(error)) return undefined;
      return `check: ${error instanceof Error ? error.message : String(error)}`;
    } finally {
      timer.cancel();
    }
  };
}

const probes: Record<
  CheckRule['kind'],
  (connection: NodeConnection, rule: CheckRule, signal: AbortSignal) => Promise<void>
> = {
  tcp: probeTcp,
  http: probeHttp,
  websocket: (connection, { path }, signal) => probeWebSocket(connection, path, signal),
};

function isOurs(error: unknown): boolean {
  return error instanceof Error && 'code' in error && localErrorCodes.has(String(error.code));
}

async function probeTcp(
  { link, node }: NodeConnection,
  _rule: CheckRule,
  signal: AbortSignal,
): Promise<void> {
  const socket = connect({ ...node, signal });
  const abort = () => socket.destroy(new Error('too late'));
  signal.addEventListener('abort', abort);
  try {
    await opened(socket, 'connect');
    const header = headerFor(link, 'own');
    if (header !== undefined) socket.write(header);
    if (link.tls === undefined) return;
    const secure = link.tls.begin(socket, node);
    await opened(secure, 'secureConnect').catch((error: Error) => {
      throw nodeTlsError(node, error);
    });
  } finally {
    signal.removeEventListener('abort', abort);
    // By reset: thousands of checks a minute would leave as many ports in TIME_WAIT.
    socket.resetAndDestroy();
  }
}

function opened(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once(event, resolve);
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('the node closed the connection')));
  });
}

async function probeHttp(
  connection: NodeConnection,
  { path }: CheckRule,
  signal: AbortSignal,
): Promise<void> {
  const { link, node } = connection;
  const origin = `http://${formatAddress(node)}`;
  const isBare = link.tls === undefined && link.proxyProtocol === 'off';
  const dispatcher = isBare ? undefined : new Client(origin, { connect: nodeConnector(connection) });
  try {
    const { statusCode, body } = await request(`${origin}${path}`, {
      signal,
      headers: { connection: 'close' },
      ...(dispatcher && { dispatcher }),
    });
    await body.dump({ limit: 64 * 1024, signal });
    if (statusCode < 200 || statusCode >= 400) throw new Error(`${path} answered ${statusCode}`);
  } finally {
    await dispatcher?.destroy();
  }
}
