// SignalR's JavaScript client against a stub of its server: it asks by POST for a connection, then opens the WebSocket,
// the event stream or the polls of it, so all must reach one node, or the negotiation must be skipped.
import {
  HttpTransportType,
  HubConnectionBuilder,
  LogLevel,
  type HubConnection,
  type IHttpConnectionOptions,
} from '@microsoft/signalr';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aClientHouse, otherThan } from '../../support/a-client-house.ts';
import { within } from '../../support/eventually.ts';
import { until } from '../../support/until.ts';
import { hubJournal, signalrHub } from './signalr-hub.ts';

const affinity = { kind: 'cookie', name: 'herald' };

const webSockets = ['WebSocket', HttpTransportType.WebSockets] as const;
const events = ['server-sent events', HttpTransportType.ServerSentEvents] as const;
const polls = ['long polls', HttpTransportType.LongPolling] as const;

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

/** Waits until the client has been reconnecting and is connected again; `told` is what `onreconnecting` heard. */
function isBack(connection: HubConnection, told: readonly string[]): Promise<void> {
  return until(
    () => connection.state === 'Connected' && told.length > 0,
    () => `${connection.state} ${told.join()}`,
    20_000,
  );
}

/** What `onreconnecting` hears. */
function toldTo(connection: HubConnection): string[] {
  const told: string[] = [];
  connection.onreconnecting((error) => void told.push(`${error?.message}`));
  return told;
}

describe('a SignalR client', () => {
  it.each([webSockets, events, polls])(
    'over %s keeps to the node of its negotiation by cookie, and hears everything in order',
    async (_, transport) => {
      const journal = hubJournal();
      const { port } = await aClientHouse(signalrHub(journal), { affinity });
      const connections = Array.from({ length: 8 }, () => connect(port, { transport }));
      await Promise.all(connections.map(started));
      const homes = await Promise.all(connections.map(where));
      expect(new Set(homes)).toEqual(new Set(['a', 'b']));
      for (let round = 0; round < 3; round += 1)
        expect(await Promise.all(connections.map(where))).toEqual(homes);
      const [connection = connect(port)] = connections;
      const numbers: number[] = [];
      connection.on('number', (index: number) => void numbers.push(index));
      await within(connection.invoke('Burst', 500), 'an answer');
      expect(numbers).toEqual(Array.from({ length: 500 }, (__, index) => index));
      expect(await within(connection.invoke('Echo', 'grüße 🎈'), 'an answer')).toBe('grüße 🎈');
      await Promise.all(connections.map((each) => within(each.stop(), 'a stop')));
      const isPolling = transport === HttpTransportType.LongPolling;
      expect(journal.deletes.toSorted()).toEqual(isPolling ? homes.toSorted() : []);
    },
  );

  it('needs no affinity where it skips the negotiation', async () => {
    const { port } = await aClientHouse(signalrHub());
    const options = { skipNegotiation: true, transport: HttpTransportType.WebSockets };
    const connections = Array.from({ length: 8 }, () => connect(port, options));
    await Promise.all(connections.map(started));
    expect(new Set(await Promise.all(connections.map(where)))).toEqual(new Set(['a', 'b']));
  });

  it.each([webSockets, events, polls])(
    'over %s is refused by the other node without either',
    async (_, transport) => {
      const { port } = await aClientHouse(signalrHub());
      const connections = Array.from({ length: 12 }, () => connect(port, { transport }));
      const starts = await Promise.allSettled(connections.map(started));
      expect(starts.map(({ status }) => status)).toContain('rejected');
    },
  );

  it('negotiates again after the goodbye of a drain, in spite of its cookie on another node', async () => {
    const journal = hubJournal();
    const { port, drain } = await aClientHouse(signalrHub(journal), { affinity });
    const connection = connect(port);
    const told = toldTo(connection);
    await started(connection);
    const home = await where(connection);
    await until(
      () => journal.pings.includes(home),
      () => 'no ping',
    );
    await drain(home);
    await isBack(connection, told);
    const next = otherThan(home);
    expect(await where(connection)).toBe(next);
    expect(told).toEqual([expect.stringContaining('1012')]);
    await until(
      () => journal.pings.includes(next),
      () => 'no ping',
    );
  });

  it('negotiates again when a drain has ended its event stream', async () => {
    const { port, drain } = await aClientHouse(signalrHub(), { affinity });
    const connection = connect(port, { transport: HttpTransportType.ServerSentEvents });
    const told = toldTo(connection);
    await started(connection);
    const home = await where(connection);
    const firstId = connection.connectionId;
    await drain(home);
    await isBack(connection, told);
    expect(await where(connection)).toBe(otherThan(home));
    expect(connection.connectionId).not.toBe(firstId);
    expect(told).toEqual(['undefined']);
  });

  it('negotiates again when the poll after that of a drain finds no session', async () => {
    const { port, drain } = await aClientHouse(signalrHub(), { affinity });
    const connection = connect(port, { transport: HttpTransportType.LongPolling });
    const told = toldTo(connection);
    await started(connection);
    const home = await where(connection);
    await drain(home);
    await isBack(connection, told);
    expect(await where(connection)).toBe(otherThan(home));
    expect(told).toEqual([expect.stringContaining('404')]);
  });

  it('whose poll outlasts a drain cannot send meanwhile, and negotiates again when the poll breaks off', async () => {
    const journal = hubJournal();
    const { port, drainWithin } = await aClientHouse(signalrHub(journal, 90_000), { affinity });
    const connection = connect(port, { transport: HttpTransportType.LongPolling });
    const told = toldTo(connection);
    await started(connection);
    const home = await where(connection);
    await until(
      () => journal.held.has(home),
      () => 'no poll',
    );
    const drained = drainWithin(home, 3000);
    await expect(where(connection)).rejects.toThrow('404');
    const { progress } = await drained;
    expect(progress.cut).toBe(1);
    await isBack(connection, told);
    expect(await where(connection)).toBe(otherThan(home));
    expect(told).toEqual([expect.not.stringContaining('404')]);
  });
});
