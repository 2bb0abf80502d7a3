// Active checks against real nodes: what each kind takes for an answer.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { createProbe, type CheckRule } from '../../../src/balancer/health/probe.ts';
import { createSystemClock } from '../../../src/platform/system-clock.ts';
import { until } from '../../support/until.ts';

const probe = createProbe(createSystemClock());

function rule(kind: CheckRule['kind'], changes: Partial<CheckRule> = {}): CheckRule {
  return { kind, path: '/ws', intervalMs: 5_000, timeoutMs: 5_000, fall: 1, rise: 1, ...changes };
}

/** The port of a node that says `answer` to whatever comes; undefined: nothing. */
async function aNode(answer: string | undefined): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer !== undefined && socket.end(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // Proof of `as`: bound to a TCP port.
  return (server.address() as AddressInfo).port;
}

const at = (port: number) => ({ host: '127.0.0.1', port, pool: 'chat' });

describe('a websocket check', () => {
  it('passes where a real server switches, and closes in order', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/ws' });
    onTestFinished(() => void server.close());
    const codes: number[] = [];
    server.on('connection', (socket) => socket.on('close', (code) => codes.push(code)));
    await new Promise((resolve) => server.once('listening', resolve));
    // Proof of `as`: bound to a TCP port.
    const { port } = server.address() as AddressInfo;
    expect(await probe(at(port), rule('websocket'))).toBe('');
    await until(
      () => codes.length === 1,
      () => 'the server has heard no close',
    );
    expect(codes).toEqual([1000]);
    expect(await probe(at(port), rule('websocket', { path: '/other' }))).toContain(
      'answered 400 instead of 101',
    );
  });

  it.each([
    ['an HTTP answer', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'answered 200 instead of 101'],
    [
      'a 101 of somebody who has not read the key',
      'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n',
      'wrong Sec-WebSocket-Accept',
    ],
    ['nonsense', 'nonsense\r\n\r\n', 'check: '],
  ])('fails at %s', async (_name, answer, reason) => {
    expect(await probe(at(await aNode(answer)), rule('websocket'))).toContain(reason);
  });

  it('fails where nobody answers in time', async () => {
    const silent = rule('websocket', { timeoutMs: 50 });
    expect(await probe(at(await aNode(undefined)), silent)).toBe('check: no answer within 50 ms');
  });
});

describe('any check', () => {
  it.each(['tcp', 'http', 'websocket'] as const)('fails at a closed port: %s', async (kind) => {
    expect(await probe(at(1), rule(kind))).toContain('ECONNREFUSED');
  });
});
