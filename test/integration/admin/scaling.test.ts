// `GET /v1/pools/{pool}/scaling` as autoscalers ask it.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anUnknownScaling, aScaling, aStubFeed, type StubFeed } from '../../support/a-scaling.ts';
import { anOpenRoom, type Room } from '../../support/a-room.ts';
import { anAdmin, aTcp, secrets, type RunningAdmin } from '../../support/an-admin.ts';

let room: Room;
let feed: StubFeed;
let running: RunningAdmin;

beforeEach(async () => {
  room = anOpenRoom();
  room.addPool('games');
  feed = aStubFeed((pool) => new Error(`nothing was said of ${pool}`));
  running = await anAdmin(room.registry, { scale: feed, tcp: aTcp() });
});

afterEach(async () => {
  await running[Symbol.asyncDispose]();
  room.registry.stop();
});

describe('the recommendation of a pool', () => {
  it('is answered as it is told, to whoever may read', async () => {
    const scaling = aScaling({ action: 'out', desiredNodes: 5, totalLoad: 2.9 });
    feed.say(scaling);
    const { status, json, headers } = await running.ask('GET', '/v1/pools/chat/scaling', {
      as: secrets.reader,
    });
    expect([status, json]).toEqual([200, scaling]);
    expect(headers['cache-control']).toBe('no-store');
  });

  it('has the number that KEDA reads with valueLocation totalLoad', async () => {
    feed.say(aScaling({ totalLoad: 2.9 }));
    const { json } = await running.ask('GET', '/v1/pools/chat/scaling', { as: secrets.reader });
    expect(json).toMatchObject({ totalLoad: 2.9, target: 0.6 });
  });

  it('that is not known is an error with the reason, never 0', async () => {
    feed.say(anUnknownScaling());
    const { status, json, headers } = await running.ask('GET', '/v1/pools/chat/scaling');
    expect(status).toBe(503);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(json).toMatchObject({
      code: 'HERALD_SCALE_UNKNOWN',
      detail: "pool 'chat': No node of the pool has a valid report.",
      pool: 'chat',
    });
  });

  it('that is not known is answered to who asks for that, with null for every load', async () => {
    feed.say(anUnknownScaling());
    const { status, json } = await running.ask('GET', '/v1/pools/chat/scaling?allowUnknown=true');
    expect([status, json]).toEqual([200, anUnknownScaling()]);
    const strict = await running.ask('GET', '/v1/pools/chat/scaling?allowUnknown=false');
    expect(strict.status).toBe(503);
  });

  it('of a pool that is not there, or not within scope, is 404 with the nearest name', async () => {
    const gone = await running.ask('GET', '/v1/pools/game/scaling');
    expect(gone.status).toBe(404);
    expect(gone.json).toMatchObject({ code: 'HERALD_POOL_UNKNOWN' });
    expect(gone.text).toContain("did you mean 'games'?");
    const foreign = await running.ask('GET', '/v1/pools/games/scaling', { as: secrets.chatOnly });
    expect(foreign.status).toBe(404);
    expect(foreign.text).not.toContain("did you mean 'games'?");
  });

  it('takes no other query and no other value', async () => {
    for (const query of ['allowUnknown=1', 'allowunknown=true', 'x=1']) {
      const { status, json } = await running.ask('GET', `/v1/pools/chat/scaling?${query}`);
      expect([status, json]).toEqual([400, expect.objectContaining({ code: 'HERALD_QUERY_INVALID' })]);
    }
  });

  it('is not there without a token, nor where nothing recommends', async () => {
    const nobody = await running.ask('GET', '/v1/pools/chat/scaling', { as: 'wrong-secret-0123456789' });
    expect(nobody.status).toBe(401);
    await using without = await anAdmin(room.registry);
    const { status, json } = await without.ask('GET', '/v1/pools/chat/scaling');
    expect([status, json]).toEqual([501, expect.objectContaining({ code: 'HERALD_NOT_AVAILABLE' })]);
  });
});
