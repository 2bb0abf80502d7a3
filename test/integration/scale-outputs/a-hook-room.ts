// Webhooks over a feed, and receivers on real sockets that answer as the test says.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { createEventFeed } from '../../../src/balancer/control/event-feed.ts';
import { Webhooks } from '../../../src/balancer/scale-outputs/webhooks.ts';
import { HeraldError } from '../../../src/core/error.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import type { WebhookConfig } from '../../../src/policy/config.ts';
import type { EventRecord } from '../../../src/protocol/operations.ts';
import { aStubFeed } from '../../support/a-scaling.ts';
import { aFastClock } from '../../support/fast-clock.ts';

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
}

type Answer = (response: ServerResponse, received: Received, count: number) => void;

/** Answers 204 unless told; `count` is 1 for the first request. Closed when the test ends. */
export async function aReceiver(
  answer: Answer = (response) => response.writeHead(204).end(),
): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => void take(request, response));
  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    const each = { headers: request.headers, body };
    received.push(each);
    answer(response, each, received.length);
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // A listening TCP server has such an address.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

/** A server that speaks TCP as the test says, from the first bytes on. */
export async function aRawReceiver(answer: (socket: Socket, count: number) => void): Promise<string> {
  let count = 0;
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => answer(socket, ++count));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

export const secret = 'integration-secret-0123456789';

export function aWebhook(url: string, parts: Partial<WebhookConfig> = {}): WebhookConfig {
  return {
    name: 'ops',
    url,
    secrets: [secret],
    pools: 'all',
    events: ['*'],
    timeoutMs: 5000,
    attempts: 100,
    maxAgeMs: 3_600_000,
    ca: undefined,
    ...parts,
  };
}

export type HookRoom = ReturnType<typeof aHookRoom>;

/** Webhooks that have started; time passes twenty times as fast. Stopped when the test ends. */
export function aHookRoom(configs: readonly WebhookConfig[], times = 20) {
  const clock = aFastClock(times);
  const feed = createEventFeed(clock);
  const scaling = aStubFeed((pool) => new HeraldError('HERALD_POOL_UNKNOWN', pool));
  const told: Omit<EventRecord, 'id' | 'at'>[] = [];
  const tell = (event: Omit<EventRecord, 'id' | 'at'>) => void told.push(event);
  const webhooks = new Webhooks(
    { clock, rng: pcg32(1), version: '1.2.3', events: feed, tell, scaling },
    configs,
  );
  webhooks.start();
  onTestFinished(() => webhooks.stop(0));
  return {
    webhooks,
    scaling,
    /** What webhooks have told of themselves. */
    told,
    view: () => webhooks.list()[0],
    happen(type: string, pool = 'chat', message = 'It happened.') {
      feed.tell({ type, pool, node: '', by: '', why: '', message, facts: {} });
    },
  };
}
