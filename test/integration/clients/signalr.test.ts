// SignalR's JavaScript client against a stub of its server: it asks by POST for a connection, then opens the WebSocket of
// it, so both must reach one node, or the negotiation must be skipped.
import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import {
  HttpTransportType,
  HubConnectionBuilder,
  LogLevel,
  type HubConnection,
  type IHttpConnectionOptions,
} from '@microsoft/signalr';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import { aClientHouse, otherThan } from '../../support/a-client-house.ts';
import { within } from '../../support/eventually.ts';
import { until } from '../../support/until.ts';

/** Ends each record of the JSON hub protocol. */
const recordEnd = '\u001e';
const invocation = 1;
const completion = 3;
const ping = 6;

interface HubRecord {
  readonly protocol?: string;
  readonly type?: number;
  readonly invocationId?: string;
  readonly target?: string;
  readonly arguments?: unknown[];
}

/** A hub: `Where` is answered by the node's id, `Burst` pushes numbers first, all else is echoed. It pings. */
function hub(pings: string[]): (id: string, server: Server) => void {
  return (id, server) => {
    const tokens = new Set<string>();
    server.on('request', (request, response) => {
      const [connectionId, connectionToken] = [randomUUID(), randomUUID()];
      tokens.add(connectionToken);
      request.resume();
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const availableTransports = [{ transport: 'WebSockets', transferFormats: ['Text', 'Binary'] }];
      response.end(
        JSON.stringify({ negotiateVersion: 1, connectionId, connectionToken, availableTransports }),
      );
    });
    const sockets = new WebSocketServer({
      server,
      // As ASP.NET Core does: a token that this process did not give is 404, none at all is one who skipped.
      verifyClient({ req }, done) {
        const token = new URL(req.url ?? '/', 'http://hub').searchParams.get('id');
        done(token === null || tokens.has(token), 404);
      },
    });
    sockets.on('connection', (socket) => {
      const tell = (record: object) => socket.send(JSON.stringify(record) + recordEnd);
      const beat = setInterval(() => tell({ type: ping }), 100);
      socket.on('close', () => clearInterval(beat));
      socket.on('message', (data) => {
        for (const text of String(data).split(recordEnd).filter(Boolean)) {
          // Proof of `as`: the client of these tests sends nothing else.
          const record = JSON.parse(text) as HubRecord;
          if (record.protocol !== undefined) tell({});
          if (record.type === ping) pings.push(id);
          if (record.type === invocation) answer(record);
        }
      });
      function answer({ invocationId, target, arguments: given = [] }: HubRecord): void {
        if (target === 'Burst')
          for (let index = 0; index < Number(given[0]); index += 1)
            tell({ type: invocation, target: 'number', arguments: [index] });
        tell({ type: completion, invocationId, result: target === 'Where' ? id : given[0] });
      }
    });
  };
}

function connect(port: number, options: IHttpConnectionOptions = {}): HubConnection {
  const connection = new HubConnectionBuilder()
    .withUrl(`http://127.0.0.1:${port}/hub`, options)
    .configureLogging(LogLevel.None)
    .withAutomaticReconnect()
    .withKeepAliveInterval(100)
    .build();
  onTestFinished(() => connection.stop());
  return connection;
}

const started = (connection: HubConnection) => within(connection.start(), 'a start');
const where = (connection: HubConnection) => within(connection.invoke<string>('Where'), 'an answer');

describe('a SignalR client', () => {
  it('negotiates and connects on one node by the affinity cookie, and hears everything in order', async () => {
    const { port } = await aClientHouse(hub([]), { affinity: { kind: 'cookie', name: 'herald' } });
    const connections = Array.from({ length: 8 }, () => connect(port));
    await Promise.all(connections.map(started));
    expect(new Set(await Promise.all(connections.map(where)))).toEqual(new Set(['a', 'b']));
    const [connection = connect(port)] = connections;
    const numbers: number[] = [];
    connection.on('number', (index: number) => void numbers.push(index));
    await within(connection.invoke('Burst', 500), 'an answer');
    expect(numbers).toEqual(Array.from({ length: 500 }, (_, index) => index));
    expect(await within(connection.invoke('Echo', 'grüße 🎈'), 'an answer')).toBe('grüße 🎈');
  });

  it('needs no affinity where it skips the negotiation', async () => {
    const { port } = await aClientHouse(hub([]));
    const options = { skipNegotiation: true, transport: HttpTransportType.WebSockets };
    const connections = Array.from({ length: 8 }, () => connect(port, options));
    await Promise.all(connections.map(started));
    expect(new Set(await Promise.all(connections.map(where)))).toEqual(new Set(['a', 'b']));
  });

  it('is refused by the other node without either', async () => {
    const { port } = await aClientHouse(hub([]));
    const starts = await Promise.allSettled(Array.from({ length: 12 }, () => started(connect(port))));
    expect(starts.map(({ status }) => status)).toContain('rejected');
  });

  it('negotiates again after the goodbye of a drain, in spite of its cookie on another node', async () => {
    const pings: string[] = [];
    const { port, drain } = await aClientHouse(hub(pings), { affinity: { kind: 'cookie', name: 'herald' } });
    const connection = connect(port);
    const told: string[] = [];
    connection.onreconnecting((error) => void told.push(`${error?.message}`));
    await started(connection);
    const home = await where(connection);
    await until(
      () => pings.includes(home),
      () => 'no ping',
    );
    await drain(home);
    await until(
      () => connection.state === 'Connected' && told.length > 0,
      () => `${connection.state} ${told.join()}`,
    );
    const next = otherThan(home);
    expect(await where(connection)).toBe(next);
    expect(told).toEqual([expect.stringContaining('1012')]);
    await until(
      () => pings.includes(next),
      () => 'no ping',
    );
  });
});
