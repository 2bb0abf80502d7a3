// `herald events` against a stub that streams: order, filters, reconnection by Last-Event-ID, and what ends it.
import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../../src/protocol/operations.ts';
import { runHerald } from '../../support/cli-run.ts';
import { aStubAdmin, refusal, type StubHandler } from '../../support/stub-admin.ts';

function anEvent(id: number): EventRecord {
  const at = '2026-01-31T12:00:00.000Z';
  const message = `Event number ${id}.`;
  return { id, at, type: 'node.joined', pool: 'chat', node: 'a', by: 'ann', why: 'test', message, facts: {} };
}

const written = (id: number) => `id: x.${id}\ndata: ${JSON.stringify(anEvent(id))}\n\n`;

/** Streams one list of events after the other, a connection each, and breaks off behind each but the last. */
function streams(...lists: readonly string[][]): StubHandler {
  let next = 0;
  return (_, response) => {
    const list = lists[Math.min(next, lists.length - 1)] ?? [];
    next += 1;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`retry: 20\n\n${list.join('')}`);
    if (next < lists.length) setImmediate(() => response.destroy());
  };
}

const line = (id: number) =>
  `${String(id).padStart(5)}  2026-01-31 12:00:00  node.joined  chat/a  Event number ${id}. (ann: test)\n`;

describe('herald events', () => {
  it('shows what is kept and ends when that is all', async () => {
    const stub = await aStubAdmin({ 'GET /v1/events': streams([written(1), written(2)]) });
    const run = await runHerald(['events', '-s', stub.socketPath, '--pool', 'chat', '--type', 'node.*']);
    expect(run).toEqual({ code: 0, stdout: line(1) + line(2), stderr: '' });
    expect(stub.asked[0]?.what).toBe('GET /v1/events?pool=chat&type=node.*');
    expect(stub.asked[0]?.headers['last-event-id']).toBe('0');
  });

  it('with -o json is one document', async () => {
    const stub = await aStubAdmin({ 'GET /v1/events': streams([written(1), written(2)]) });
    const { stdout } = await runHerald(['events', '-s', stub.socketPath, '-o', 'json', '--since', '5']);
    expect(JSON.parse(stdout)).toEqual({ events: [anEvent(1), anEvent(2)] });
    expect(stub.asked[0]?.headers['last-event-id']).toBe('5');
  });

  it('--follow goes on where it broke off, says so, and an interruption is its regular end', async () => {
    const interrupt = new AbortController();
    const gap = `event: gap\ndata: {"message":"Events before these are not kept any more."}\n\n`;
    const stub = await aStubAdmin({ 'GET /v1/events': streams([written(1)], [gap, written(7)]) });
    const run = await runHerald(['events', '--follow', '-s', stub.socketPath, '-o', 'json'], {
      signal: interrupt.signal,
      onOutput: ({ stdout }) => stdout.includes('"id":7') && interrupt.abort(new Error('interrupted')),
    });
    expect(run.code).toBe(0);
    expect(run.stdout).toBe(`${JSON.stringify(anEvent(1))}\n${JSON.stringify(anEvent(7))}\n`);
    expect(run.stderr).toContain('lets go of the stream; coming back');
    expect(run.stderr).toContain('Events before these are not kept any more.');
    expect(stub.asked.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'x.1']);
  });

  it('--follow of what this caller may not see ends with 4, and does not ask again', async () => {
    const stub = await aStubAdmin({
      'GET /v1/events': (_, response) =>
        refusal(response, 'HERALD_TOKEN_INVALID', 'this token is not known here'),
    });
    const { code, stderr } = await runHerald(['events', '--follow', '-s', stub.socketPath]);
    expect([code, stub.asked.length]).toEqual([4, 1]);
    expect(stderr).toContain('--token-file');
  });

  it.each([
    [['events', '--since', 'a b'], /id of an event/],
    [['events', '--type', 'node joined'], /node\.joined/],
  ])('%j is a mistake', async (args, told) => {
    const { code, stderr } = await runHerald(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(told);
  });
});
