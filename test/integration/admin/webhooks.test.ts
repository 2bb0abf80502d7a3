import { describe, expect, it, onTestFinished } from 'vitest';
import type { DeadLetterList, WebhookList } from '../../../src/protocol/webhooks.ts';
import { aRoom } from '../../support/a-room.ts';
import { anAdmin, aTcp, secrets } from '../../support/an-admin.ts';
import { until } from '../../support/until.ts';
import { aHookRoom, aReceiver, aWebhook } from '../scale-outputs/a-hook-room.ts';

/** An API over three webhooks, one of which has a dead letter of each pool and one of none. */
async function aDesk() {
  const room = aRoom({ nodes: ['a'], ageMs: 10_000 });
  room.addPool('games', 'g');
  let isUp = false;
  const receiver = await aReceiver((response) => response.writeHead(isUp ? 204 : 410).end('gone'));
  const hooks = aHookRoom([
    aWebhook(receiver.url),
    aWebhook('http://127.0.0.1:9/', { name: 'games', pools: ['games'], events: ['none.*'] }),
    aWebhook('http://127.0.0.1:9/', { name: 'chat', pools: ['chat'], events: ['none.*'] }),
  ]);
  for (const pool of ['chat', 'games', '']) hooks.happen('node.up', pool);
  await until(
    () => hooks.webhooks.deadLetters('ops').length === 3,
    () => JSON.stringify(hooks.webhooks.list()),
  );
  const admin = await anAdmin(room.registry, { tcp: aTcp(), webhooks: hooks.webhooks });
  onTestFinished(async () => {
    await admin[Symbol.asyncDispose]();
    room.registry.stop();
  });
  return {
    admin,
    receiver,
    comeUp: () => (isUp = true),
    letters: async (as?: string) => {
      const { json } = await admin.ask(
        'GET',
        '/v1/webhooks/ops/dead-letters',
        as === undefined ? {} : { as },
      );
      // Proof of the cast: what the test looks at is checked member by member.
      return (json as DeadLetterList).deadLetters;
    },
  };
}

describe('webhooks over the API', () => {
  it('are listed with how they fare', async () => {
    const { admin, receiver } = await aDesk();
    const { status, json } = await admin.ask('GET', '/v1/webhooks', { as: secrets.reader });
    expect(status).toBe(200);
    const { webhooks } = json as WebhookList;
    expect(webhooks.map(({ name }) => name)).toEqual(['ops', 'games', 'chat']);
    expect(webhooks[0]).toMatchObject({
      url: receiver.url,
      pools: null,
      queued: 0,
      deadLetters: 3,
      delivered: 0,
    });
    expect(webhooks[1]).toMatchObject({
      pools: ['games'],
      events: ['none.*'],
      state: 'idle',
      lastFailure: null,
    });
    expect(JSON.stringify(json)).not.toContain('integration-secret');
  });

  it('show dead letters with the event that was sent and why it was given up', async () => {
    const { letters, receiver } = await aDesk();
    const all = await letters(secrets.reader);
    expect(all.map(({ pool }) => pool).toSorted()).toEqual(['', 'chat', 'games']);
    for (const letter of all) {
      expect(letter).toMatchObject({
        type: 'node.up',
        attempts: 1,
        reason: expect.stringMatching(/^answered 410/),
      });
      const sent = receiver.received.find(({ headers }) => headers['herald-event-id'] === letter.id);
      expect(letter.event).toEqual(JSON.parse(sent?.body ?? '{}'));
    }
  });

  it('send a dead letter once more for who may operate, and for nobody else', async () => {
    const { admin, letters, receiver, comeUp } = await aDesk();
    const id = (await letters()).find(({ pool }) => pool === 'chat')?.id ?? '';
    const path = `/v1/webhooks/ops/dead-letters/${id}/redeliver`;
    const refused = await admin.ask('POST', path, { as: secrets.reader });
    expect(refused).toMatchObject({ status: 403, json: { code: 'HERALD_NOT_ALLOWED' } });
    comeUp();
    const before = receiver.received.length;
    const done = await admin.ask('POST', path, { as: secrets.operator });
    expect(done).toMatchObject({ status: 202, json: { id, pool: 'chat' } });
    await until(
      () => receiver.received.length === before + 1,
      () => 'it has not come again',
    );
    expect(receiver.received.at(-1)?.headers['herald-event-id']).toBe(id);
    expect((await letters()).some((letter) => letter.id === id)).toBe(false);
    const again = await admin.ask('POST', path, { as: secrets.operator });
    expect(again).toMatchObject({ status: 404, json: { code: 'HERALD_DEAD_LETTER_UNKNOWN' } });
    const audits = admin.feed.since(0).events.map(({ type, facts }) => [type, facts['route']]);
    expect(audits).toEqual([
      ['change.refused', 'redeliverDeadLetter'],
      ['change.done', 'redeliverDeadLetter'],
      ['change.refused', 'redeliverDeadLetter'],
    ]);
  });

  it('of other pools do not exist for a token with a scope', async () => {
    const { admin, letters } = await aDesk();
    const as = secrets.chatOnly;
    const { json } = await admin.ask('GET', '/v1/webhooks', { as });
    expect((json as WebhookList).webhooks.map(({ name }) => name)).toEqual(['ops', 'chat']);
    expect((await letters(as)).map(({ pool }) => pool)).toEqual(['chat']);
    const hidden = await admin.ask('GET', '/v1/webhooks/games/dead-letters', { as });
    expect(hidden).toMatchObject({ status: 404, json: { code: 'HERALD_WEBHOOK_UNKNOWN' } });
    const foreign = (await letters()).find(({ pool }) => pool === 'games')?.id ?? '';
    const path = `/v1/webhooks/ops/dead-letters/${foreign}/redeliver`;
    expect(await admin.ask('POST', path, { as })).toMatchObject({ status: 404 });
  });

  it('that are not there are named with the nearest one', async () => {
    const { admin } = await aDesk();
    const { json } = await admin.ask('GET', '/v1/webhooks/opps/dead-letters');
    expect(json).toMatchObject({
      code: 'HERALD_WEBHOOK_UNKNOWN',
      detail: "there is no webhook 'opps'; did you mean 'ops'?",
    });
    const room = aRoom();
    const bare = await anAdmin(room.registry);
    onTestFinished(() => bare[Symbol.asyncDispose]());
    expect(await bare.ask('GET', '/v1/webhooks')).toMatchObject({
      status: 501,
      json: { code: 'HERALD_NOT_AVAILABLE' },
    });
  });
});
