// SockJS's client against SockJS's server on two nodes: its sessions, which lie in the path, and drains of their node.
import SockJsClient from 'sockjs-client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aClientHouse, otherThan, retryHintMs } from '../../support/a-client-house.ts';
import { until } from '../../support/until.ts';
import { sockJsNode } from './sockjs-node.ts';

const affinity = { kind: 'path', segment: 3 };

interface Visitor {
  /** The node of each session that it has had. */
  readonly homes: string[];
  /** Answers, whole. */
  readonly answers: string[];
  /** Code, reason, and whether it was clean, of each end. */
  readonly closes: [number, string, boolean][];
  /** Whether it is open now. */
  isOpen(): boolean;
  send(text: string): void;
}

/** A client that connects again after each end, by the hint where there is one. */
function visit(port: number, transport: string): Visitor {
  const [homes, answers, closes]: [string[], string[], Visitor['closes']] = [[], [], []];
  let client: WebSocket;
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  connect();
  onTestFinished(() => {
    isOver = true;
    clearTimeout(timer);
    client.close();
  });
  function connect(): void {
    client = new SockJsClient(`http://127.0.0.1:${port}/echo`, null, { transports: [transport] });
    client.addEventListener('message', ({ data }) => {
      (/ /.test(data) ? answers : homes).push(String(data));
    });
    client.addEventListener('close', ({ code, reason, wasClean }) => {
      if (isOver) return;
      closes.push([code, reason, wasClean]);
      timer = setTimeout(connect, /retry-ms=\d+$/.test(reason) ? retryHintMs(reason) : 50);
    });
  }
  return {
    homes,
    answers,
    closes,
    isOpen: () => client.readyState === SockJsClient.OPEN,
    send: (text) => client.send(text),
  };
}

/** Waits until the visitor has had so many sessions, and says where. */
async function homesOf({ homes, closes }: Visitor, count: number): Promise<readonly string[]> {
  await until(
    () => homes.length >= count,
    () => JSON.stringify([homes, closes]),
    20_000,
  );
  return homes;
}

/** Talks until the visitor has been answered on `node`. */
async function talkOn(visitor: Visitor, node: string): Promise<void> {
  visitor.send('hello');
  await until(
    () => visitor.answers.includes(`${node} hello`),
    () => JSON.stringify(visitor.answers),
  );
}

const transports = ['websocket', 'xhr-streaming', 'xhr-polling'];

describe('SockJS clients', () => {
  it.each(transports)('over %s keep their sessions by the session in the path', async (transport) => {
    const { port } = await aClientHouse(sockJsNode(), { affinity });
    // Their names are dice: that all of them belong to one node has a chance of 2^-23.
    const visitors = Array.from({ length: 24 }, () => visit(port, transport));
    await Promise.all(visitors.map((visitor) => homesOf(visitor, 1)));
    for (let round = 1; round <= 10; round += 1) {
      for (const visitor of visitors) visitor.send(String(round));
      await until(
        () => visitors.every(({ answers }) => answers.length === round),
        () => JSON.stringify(visitors),
        20_000,
      );
    }
    const rounds = Array.from({ length: 10 }, (_, index) => index + 1);
    expect(visitors.map(({ answers }) => answers)).toEqual(
      visitors.map(({ homes: [home] }) => rounds.map((round) => `${home} ${round}`)),
    );
    expect(visitors.flatMap(({ closes }) => closes)).toEqual([]);
    expect(new Set(visitors.flatMap(({ homes }) => homes))).toEqual(new Set(['a', 'b']));
  });

  it.each(['xhr-streaming', 'xhr-polling'])(
    'over %s lose their sessions without affinity',
    async (transport) => {
      const { port } = await aClientHouse(sockJsNode());
      const visitors = Array.from({ length: 8 }, () => visit(port, transport));
      await until(
        () => {
          for (const visitor of visitors) if (visitor.isOpen()) visitor.send('hello');
          return visitors.some(({ closes }) => closes.length > 0);
        },
        () => JSON.stringify(visitors),
        20_000,
      );
    },
  );
});

describe('a SockJS client whose node is drained', () => {
  it('hears the hint on WebSocket, and is on the other node afterwards', async () => {
    const { port, drain } = await aClientHouse(sockJsNode(), { affinity });
    const visitor = visit(port, 'websocket');
    const [home = ''] = await homesOf(visitor, 1);
    await drain(home);
    expect(await homesOf(visitor, 2)).toEqual([home, otherThan(home)]);
    // Outside of browsers it has faye-websocket, which knows codes up to 1011 and makes 1002 of 1012.
    expect(visitor.closes).toEqual([[1002, expect.stringMatching(/retry-ms=\d+$/), false]]);
    await talkOn(visitor, otherThan(home));
  });

  it('on xhr-polling hears from the poll behind the next heartbeat that its session is lost', async () => {
    const { port, drain } = await aClientHouse(sockJsNode(), { affinity });
    const visitor = visit(port, 'xhr-polling');
    const [home = ''] = await homesOf(visitor, 1);
    await drain(home);
    const homes = await homesOf(visitor, 2);
    expect([homes[0], homes.at(-1)]).toEqual([home, otherThan(home)]);
    expect(visitor.closes[0]).toEqual([1006, 'Server lost session', false]);
    await talkOn(visitor, otherThan(home));
  });

  it.each(['xhr-streaming', 'xhr-polling'])(
    'on %s hears it from what it sends, at once',
    async (transport) => {
      // No heartbeat ends a poll, and no drain a stream.
      const { port, drainWithin } = await aClientHouse(sockJsNode(60_000), { affinity });
      const visitor = visit(port, transport);
      const [home = ''] = await homesOf(visitor, 1);
      const drained = drainWithin(home, 20_000);
      visitor.send('lost');
      expect(await homesOf(visitor, 2)).toEqual([home, otherThan(home)]);
      // A poll that was just between two of its own finds it out as soon.
      const lost = expect.stringMatching(/^(Sending error: Error: http status 404|Server lost session)$/);
      expect(visitor.closes).toEqual([[1006, lost, false]]);
      expect((await drained).progress.cut).toBe(0);
      await talkOn(visitor, otherThan(home));
    },
  );

  it('on xhr-streaming is cut off at the deadline, and hears it from what it sends', async () => {
    const { port, drainWithin } = await aClientHouse(sockJsNode(), { affinity });
    const visitor = visit(port, 'xhr-streaming');
    const [home = ''] = await homesOf(visitor, 1);
    const { progress } = await drainWithin(home, 2000);
    expect(progress.cut).toBe(1);
    // Outside of browsers it does not look whether a stream breaks off.
    visitor.send('lost');
    expect(await homesOf(visitor, 2)).toEqual([home, otherThan(home)]);
    expect(visitor.closes).toEqual([[1006, 'Sending error: Error: http status 404', false]]);
    await talkOn(visitor, otherThan(home));
  });
});
