// The npm package `eventsource` over a drain: its stream ends, and goes on elsewhere where it stopped.
import { EventSource } from 'eventsource';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aClientHouse, otherThan } from '../../support/a-client-house.ts';
import { until } from '../../support/until.ts';

/** An hour: a client that came back by the node's own time would not come back in a test. */
const hourMs = 3_600_000;

describe('an EventSource whose node is drained', () => {
  it('comes back elsewhere at the time it was told, with its Last-Event-ID, and misses nothing', async () => {
    // What both nodes serve from, as a fleet does from its store.
    let last = 0;
    const streams: { node: string; lastEventId: string | undefined; tell: () => void }[] = [];
    const { port, drain, openOn } = await aClientHouse((id, server) => {
      server.on('request', (request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
        response.write(`retry: ${hourMs}\n\n`);
        const lastEventId = request.headers['last-event-id']?.toString();
        let told = Number(lastEventId ?? 0);
        const tell = () => {
          for (; told < last; told += 1) response.write(`id: ${told + 1}\ndata: ${id} ${told + 1}\n\n`);
        };
        streams.push({ node: id, lastEventId, tell });
        tell();
      });
    });
    const source = new EventSource(`http://127.0.0.1:${port}/events`);
    onTestFinished(() => source.close());
    const heard: string[] = [];
    source.addEventListener('message', ({ data }) => void heard.push(String(data)));
    const publish = async (count: number) => {
      last += count;
      for (const { tell } of streams) tell();
      await until(
        () => heard.length >= last,
        () => JSON.stringify([streams, heard.length, source.readyState]),
      );
    };
    await until(
      () => streams.length === 1,
      () => 'no stream',
    );
    await publish(200);
    const home = streams[0]?.node ?? '';
    const next = otherThan(home);
    await drain(home);
    await publish(200);
    expect(streams.map(({ node, lastEventId }) => [node, lastEventId])).toEqual([
      [home, undefined],
      [next, '200'],
    ]);
    expect(heard).toEqual(
      Array.from({ length: 400 }, (_, index) => `${index < 200 ? home : next} ${index + 1}`),
    );
    expect([openOn(home), openOn(next)]).toEqual([0, 1]);
  });
});
