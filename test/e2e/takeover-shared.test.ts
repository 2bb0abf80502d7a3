// A balancer that shares its state over Redis is replaced by a new process: neither clients nor other balancers notice.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished, describe, expect, it } from 'vitest';
import type { PeersAnswer } from '../../src/protocol/peering.ts';
import { eventually } from '../support/eventually.ts';
import type { HeraldProcess } from '../support/herald-process.ts';
import { lacksRedis, startRedis, type RedisServer } from '../support/redis-server.ts';
import { aReplaceableHerald, gone, kill, someTalkers, takeOver } from '../support/takeover-house.ts';
import { anEchoNode } from '../support/ws-fleet.ts';

const limitMs = 30_000;

const peersOf = (herald: HeraldProcess) => herald.admin<PeersAnswer>('/v1/peers');

interface Pair {
  readonly redis: RedisServer;
  /** The one that is replaced. */
  readonly one: HeraldProcess;
  readonly two: HeraldProcess;
}

/** Two balancers of one node, the first of them of this name. */
async function aPair(peer?: string): Promise<Pair> {
  const redis = await startRedis();
  const address = `127.0.0.1:${await anEchoNode()}`;
  const aPeer = (id: string | undefined) => {
    const state = { kind: 'redis', url: `redis://127.0.0.1:${redis.port}`, ...(id && { peer: id }) };
    const pools = { chat: { policy: 'chat', nodes: [{ id: 'a', address }] } };
    return aReplaceableHerald({ pools, config: { state }, graceSeconds: 5 });
  };
  const one = await aPeer(peer);
  const two = await aPeer('lb-2');
  for (const each of [one, two]) {
    await eventually(
      () => peersOf(each),
      ({ peers }) => peers.length === 1,
      limitMs,
    );
    await each.eligible('a');
  }
  return { redis, one, two };
}

/** What the second balancer sees of the first one, looked at again and again. */
function watchFrom(two: HeraldProcess) {
  const seen = new Set<string>();
  const over = new AbortController();
  let looks = 0;
  const watching = (async () => {
    while (!over.signal.aborted) {
      const { peers, link } = await peersOf(two);
      seen.add(`${peers.map(({ id, connections }) => `${id} ${connections}`).join()} ${link.state}`);
      looks += 1;
    }
  })();
  const stop = async () => {
    over.abort();
    await watching;
  };
  onTestFinished(stop);
  return { seen, looks: () => looks, stop };
}

/** Comings and goings that a balancer has told of since. */
function comings({ logs }: HeraldProcess, from = 0): unknown[] {
  return logs
    .slice(from)
    .map(({ type }) => type)
    .filter((type) => /^(peer|link)\./.test(String(type)));
}

/** Tokens under which balancers began to lead, in the order of their log. */
function tokensOf({ logs }: HeraldProcess): number[] {
  return logs.filter(({ type }) => type === 'leader.began').map((line) => Number(line['token']));
}

/** Waits until one of them leads, and says which. */
async function leaderOf({ one, two }: Pair): Promise<'one' | 'two'> {
  const leads = await eventually(
    async () => [(await peersOf(one)).isLeader, (await peersOf(two)).isLeader],
    ([ofOne, ofTwo]) => ofOne !== ofTwo,
    limitMs,
  );
  return leads[0] === true ? 'one' : 'two';
}

const connectionsOf = async (herald: HeraldProcess) => (await peersOf(herald)).peers[0]?.connections;

describe.skipIf(lacksRedis)('a takeover of a balancer that shares its state', () => {
  it('is no event to the others: one peer, every connection counted once, over two of them', async () => {
    const pair = await aPair('lb-1');
    const { one, two } = pair;
    const first = await someTalkers(one.publicPort, 6);
    await eventually(
      () => connectionsOf(two),
      (count) => count === 6,
      limitMs,
    );
    const from = two.logs.length;
    const watch = watchFrom(two);
    const secondPid = await takeOver(one);
    await first.heardMore(2);
    const looks = watch.looks();
    await eventually(watch.looks, (now) => now > looks + 20);
    await watch.stop();
    expect([...watch.seen]).toEqual(['lb-1 6 connected']);
    await one.eligible('a');
    const more = await someTalkers(one.publicPort, 3);
    await eventually(
      () => connectionsOf(two),
      (count) => count === 9,
      limitMs,
    );
    const again = watchFrom(two);
    await takeOver(one);
    await more.heardMore(2);
    await again.stop();
    expect([...again.seen]).toEqual(['lb-1 9 connected']);
    // What ends in the first process is told by the third one, by way of the second.
    await first.leave();
    await gone(one.pid);
    await eventually(
      () => connectionsOf(two),
      (count) => count === 3,
      limitMs,
    );
    // And what a killed one had is gone with it, although no process of this peer said farewell.
    kill(secondPid, 'SIGKILL');
    await eventually(
      () => connectionsOf(two),
      (count) => count === 0,
      limitMs,
    );
    expect(first.complaints).toEqual([]);
    expect(comings(two, from)).toEqual([]);
    expect((await peersOf(one)).self).toBe('lb-1');
    await leaderOf(pair);
    const tokens = [...tokensOf(one), ...tokensOf(two)];
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  it('goes on leading and draining by another token, and under the name that chance has given', async () => {
    const pair = await aPair();
    const { one, two } = pair;
    const { self } = await peersOf(one);
    expect(await leaderOf(pair)).toBe('one');
    const clients = await someTalkers(one.publicPort, 6);
    await eventually(
      () => connectionsOf(two),
      (count) => count === 6,
      limitMs,
    );
    // A drain that goes on over the takeover, asked for on the other side.
    const drain = two.cli('drain', 'a', '--force', '--rate', '2/s', '--deadline', '60s');
    await eventually(
      () => one.nodes(),
      ({ a }) => a?.adminState === 'drain',
      limitMs,
    );
    const from = two.logs.length;
    await takeOver(one);
    expect((await peersOf(one)).self).toBe(self);
    const leader = await leaderOf(pair);
    const [before = 0] = tokensOf(one);
    const after = tokensOf(leader === 'one' ? one : two).at(-1);
    expect(after).toBeGreaterThan(before);
    // The other side knows who leads at once, too.
    await eventually(
      () => peersOf(two),
      ({ isLeader, peers }) => isLeader !== peers[0]?.isLeader,
      limitMs,
    );
    expect((await drain).code).toBe(0);
    expect(clients.complaints.every((text) => text.includes('was closed by 1012'))).toBe(true);
    await gone(one.pid);
    await eventually(
      () => connectionsOf(two),
      (count) => count === 0,
      limitMs,
    );
    expect(comings(two, from)).toEqual([]);
    expect((await one.nodes())['a']?.adminState).toBe('drain');
  });

  it('that fails leaves peer and leader as they were; one to another Redis is a farewell here', async () => {
    const pair = await aPair('lb-1');
    const { one, two } = pair;
    expect(await leaderOf(pair)).toBe('one');
    const talkers = await someTalkers(one.publicPort, 2);
    await eventually(
      () => connectionsOf(two),
      (count) => count === 2,
      limitMs,
    );
    const from = [one.logs.length, two.logs.length];
    const sound = readFileSync(join(one.folder, 'herald.yaml'), 'utf8');
    const taken = `\n  - { name: more, bind: '127.0.0.1:${two.publicPort}' }`;
    one.write('herald.yaml', sound.replace('listeners:', `listeners:${taken}`));
    const failed = await one.cli('serve', '--takeover');
    expect([failed.code, failed.stderr]).toEqual([1, expect.stringContaining(String(two.publicPort))]);
    await talkers.heardMore(2);
    expect(await leaderOf(pair)).toBe('one');
    expect(tokensOf(one)).toHaveLength(1);
    expect(comings(two, from[1])).toEqual([]);
    // The new process had seen the other balancer before it failed.
    expect(comings(one, from[0])).toEqual(['peer.joined']);
    expect(await connectionsOf(two)).toBe(2);
    const other = await startRedis();
    one.write('herald.yaml', sound.replace(String(pair.redis.port), String(other.port)));
    await takeOver(one);
    await eventually(
      () => peersOf(two),
      ({ peers, isLeader }) => peers.length === 0 && isLeader,
      limitMs,
    );
    expect((await peersOf(one)).link.state).toBe('connected');
    await talkers.heardMore(2);
    expect(talkers.complaints).toEqual([]);
  });
});
