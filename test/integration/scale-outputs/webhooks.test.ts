import { execFileSync } from 'node:child_process';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { WebhookEvent } from '../../../src/protocol/webhooks.ts';
import { aScaling } from '../../support/a-scaling.ts';
import { until } from '../../support/until.ts';
import { aFolder } from '../platform/folder.ts';
import {
  aHookRoom,
  aRawReceiver,
  aReceiver,
  aWebhook,
  secret,
  type HookRoom,
  type Received,
} from './a-hook-room.ts';

const eventOf = ({ body }: Received) => JSON.parse(body) as WebhookEvent;
const idsOf = (received: readonly Received[]) => received.map((each) => eventOf(each).id);

async function untilCount(list: readonly unknown[], count: number): Promise<void> {
  await until(
    () => list.length >= count,
    () => `${list.length} of ${count} have come`,
  );
}

const untilReason = async (room: HookRoom, pattern: RegExp): Promise<void> =>
  until(
    () => pattern.test(room.view()?.lastFailure?.reason ?? ''),
    () => JSON.stringify(room.view()),
  );

/** What `openssl` makes of it: an implementation that shares no line with ours. */
function hmacByOpenssl(text: string, key: string): string {
  const out = execFileSync('openssl', ['dgst', '-sha256', '-mac', 'HMAC', '-macopt', `key:${key}`], {
    input: text,
  });
  return String(out).trim().split('= ')[1] ?? '';
}

describe('a delivery', () => {
  it('carries the event, its id, its type and the number of the attempt', async () => {
    const receiver = await aReceiver();
    const room = aHookRoom([aWebhook(receiver.url)]);
    room.happen('operation.ended');
    await untilCount(receiver.received, 1);
    const [first] = receiver.received;
    expect(first?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'herald/1.2.3',
      'herald-event-type': 'operation.ended',
      'herald-delivery-attempt': '1',
      'content-length': String(Buffer.byteLength(first?.body ?? '')),
    });
    expect(first && eventOf(first)).toMatchObject({
      version: 1,
      id: first?.headers['herald-event-id'],
      type: 'operation.ended',
      pool: 'chat',
      data: { message: 'It happened.' },
    });
  });

  it('is signed as openssl signs, with each secret, over the instant and the bytes that were sent', async () => {
    const receiver = await aReceiver();
    const former = 'former-secret-0123456789';
    const room = aHookRoom([aWebhook(receiver.url, { secrets: [secret, former] })]);
    room.happen('node.up', 'chat', 'Bytes that are no ASCII: ü “quotes” 🚀');
    await untilCount(receiver.received, 1);
    const { headers, body = '' } = receiver.received[0] ?? {};
    const [instant = '', ...signatures] = String(headers?.['herald-signature']).split(',');
    const signed = `${instant.slice(2)}.${body}`;
    expect(signatures).toEqual([
      `v1=${hmacByOpenssl(signed, secret)}`,
      `v1=${hmacByOpenssl(signed, former)}`,
    ]);
    expect(Math.abs(Number(instant.slice(2)) - Date.now() / 1000)).toBeLessThan(3600);
  });

  it('brings recommendations when they change, whole', async () => {
    const receiver = await aReceiver();
    const room = aHookRoom([aWebhook(receiver.url, { events: ['scale.*'], pools: ['chat'] })]);
    const victims = [{ id: 'a', zone: '', connections: 3, reason: 'few connections' }];
    room.scaling.say(aScaling());
    room.scaling.say(aScaling({ load: 0.61, reason: 'other words' }));
    room.scaling.say(aScaling({ pool: 'games', desiredNodes: 9 }));
    room.scaling.say(aScaling({ action: 'in', desiredNodes: 2, victims }));
    // The loop tells of it in the feed as well: that is not a second one.
    room.happen('scale.recommended');
    room.happen('scale.acted');
    await untilCount(receiver.received, 3);
    expect(receiver.received.map((each) => [eventOf(each).type, eventOf(each).pool])).toEqual([
      ['scale.recommended', 'chat'],
      ['scale.recommended', 'chat'],
      ['scale.acted', 'chat'],
    ]);
    expect(receiver.received[1] && eventOf(receiver.received[1]).data).toEqual(
      aScaling({ action: 'in', desiredNodes: 2, victims }),
    );
  });

  it('comes again under the same id with the same bytes until it is taken', async () => {
    const receiver = await aReceiver((response, _, count) =>
      response.writeHead(count < 3 ? 500 : 200).end('no'),
    );
    const room = aHookRoom([aWebhook(receiver.url)]);
    room.happen('node.up');
    room.happen('node.down');
    await untilCount(receiver.received, 4);
    const [a, b, c, d] = idsOf(receiver.received);
    expect([b, c]).toEqual([a, a]);
    expect(d).not.toBe(a);
    expect(new Set(receiver.received.slice(0, 3).map(({ body }) => body)).size).toBe(1);
    expect(receiver.received.map(({ headers }) => headers['herald-delivery-attempt'])).toEqual([
      '1',
      '2',
      '3',
      '1',
    ]);
  });
});

describe('a receiver', () => {
  it('that hangs is asked again after the timeout', async () => {
    const receiver = await aReceiver((response, _, count) => {
      if (count > 1) response.writeHead(204).end();
    });
    const room = aHookRoom([aWebhook(receiver.url)]);
    room.happen('node.up');
    await untilReason(room, /^no answer within 5000 ms$/);
    await untilCount(receiver.received, 2);
    expect(new Set(idsOf(receiver.received)).size).toBe(1);
  });

  it('whose answer never ends has answered by its status', async () => {
    const receiver = await aReceiver((response) => {
      response.writeHead(200).write('x');
      const timer = setInterval(() => response.write('x'), 5);
      response.on('close', () => clearInterval(timer));
    });
    const room = aHookRoom([aWebhook(receiver.url)]);
    room.happen('node.up');
    room.happen('node.down');
    await untilCount(receiver.received, 2);
    await until(
      () => room.view()?.delivered === 2,
      () => JSON.stringify(room.view()),
    );
    expect(new Set(idsOf(receiver.received)).size).toBe(2);
  });

  it('that refuses with a flood is read as far as its first words', async () => {
    const receiver = await aReceiver((response) => {
      response.writeHead(500);
      const flood = () => {
        while (!response.destroyed && response.write('no \u001b[31m'.repeat(10_000)));
      };
      response.on('drain', flood);
      flood();
    });
    const room = aHookRoom([aWebhook(receiver.url)]);
    room.happen('node.up');
    await untilReason(room, /^answered 500: no \[31mno/);
    expect(room.view()?.lastFailure?.reason.length).toBeLessThan(400);
  });

  it('that sends elsewhere is not followed', async () => {
    const other = await aReceiver();
    const receiver = await aReceiver((response) => response.writeHead(307, { location: other.url }).end());
    const room = aHookRoom([aWebhook(receiver.url)]);
    room.happen('node.up');
    await untilReason(room, /^answered 307: redirects are not followed/);
    await untilCount(receiver.received, 2);
    expect(other.received).toEqual([]);
  });

  it('that answers 410 gets the next event at once, and the refused one is a dead letter', async () => {
    const receiver = await aReceiver((response, _, count) =>
      response.writeHead(count === 1 ? 410 : 204).end(),
    );
    const room = aHookRoom([aWebhook(receiver.url)]);
    room.happen('node.up');
    room.happen('node.down');
    await untilCount(receiver.received, 2);
    const [letter] = room.webhooks.deadLetters('ops');
    expect(letter).toMatchObject({
      type: 'node.up',
      attempts: 1,
      reason: 'answered 410, it does not want this event',
    });
    expect(letter?.event).toEqual(receiver.received[0] && eventOf(receiver.received[0]));
    expect(room.told.map(({ type }) => type)).toEqual(['webhook.gaveUp']);
  });

  it.each([
    ['closes at once', (socket) => socket.destroy(), /closed the connection before it answered/],
    ['speaks no HTTP', (socket) => socket.end('220 mail.example ESMTP\r\n'), /^its answer is not HTTP/],
    ['breaks off in the head', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-'), /.+/],
    [
      'has a head without end',
      (socket) => socket.write(`HTTP/1.1 200 OK\r\nA: ${'x'.repeat(40_000)}`),
      /head .*too large/,
    ],
    [
      'switches protocols',
      (socket) => socket.write('HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n'),
      /.+/,
    ],
  ] satisfies [string, (socket: Socket) => unknown, RegExp][])(
    'that %s has not taken the event',
    async (_, answer, reason) => {
      const url = await aRawReceiver((socket, count) => {
        if (count === 1) answer(socket);
        else socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
      });
      const room = aHookRoom([aWebhook(url)]);
      room.happen('node.up');
      await untilReason(room, reason);
      await until(
        () => room.view()?.delivered === 1,
        () => JSON.stringify(room.view()),
      );
    },
  );

  it('that is not there is told of as failing once, and as recovered', async () => {
    const url = await aRawReceiver((socket, count) =>
      count <= 4 ? socket.resetAndDestroy() : socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'),
    );
    const room = aHookRoom([aWebhook(url)]);
    room.happen('node.up');
    await until(
      () => room.view()?.delivered === 1,
      () => JSON.stringify(room.view()),
    );
    expect(room.told.map(({ type }) => type)).toEqual(['webhook.failing', 'webhook.recovered']);
    expect(room.view()?.state).toBe('working');
  });

  it('with a certificate of its own is trusted by `tls.ca`, and not without', async () => {
    const folder = aFolder();
    const [key, cert] = [join(folder, 'k.pem'), join(folder, 'c.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const made = [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
    ];
    execFileSync('openssl', [...made, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const ca = readFileSync(cert, 'utf8');
    let count = 0;
    const server = createTlsServer({ key: readFileSync(key), cert: ca }, (request, response) => {
      count += 1;
      request.resume();
      response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const url = `https://localhost:${(server.address() as AddressInfo).port}/`;
    const distrusting = aHookRoom([aWebhook(url)]);
    distrusting.happen('node.up');
    await untilReason(distrusting, /its certificate is its own: name it in tls\.ca/);
    expect(count).toBe(0);
    const trusting = aHookRoom([aWebhook(url, { ca })]);
    trusting.happen('node.up');
    await until(
      () => trusting.view()?.delivered === 1,
      () => JSON.stringify(trusting.view()),
    );
  });
});

describe('webhooks', () => {
  it('do not wait for each other, nor does a pool for another', async () => {
    const stuck = await aReceiver((response, received) => {
      if (eventOf(received).pool === 'games') response.writeHead(204).end();
    });
    const fine = await aReceiver();
    const room = aHookRoom([aWebhook(stuck.url), aWebhook(fine.url, { name: 'other' })], 1);
    room.happen('node.up', 'chat');
    room.happen('node.up', 'games');
    await untilCount(fine.received, 2);
    await untilCount(stuck.received, 2);
    await until(
      () => room.view()?.delivered === 1,
      () => JSON.stringify(room.view()),
    );
  });

  it('take another receiver, secret or list over while they run, and keep what waits', async () => {
    const first = await aReceiver((response) => response.writeHead(503).end());
    const second = await aReceiver();
    const room = aHookRoom([aWebhook(first.url)]);
    room.happen('node.up');
    await untilCount(first.received, 1);
    const changed = 'another-secret-0123456789';
    room.webhooks.configure([
      aWebhook(second.url, { secrets: [changed] }),
      aWebhook(first.url, { name: 'new' }),
    ]);
    await untilCount(second.received, 1);
    expect(idsOf(second.received)).toEqual(idsOf(first.received.slice(0, 1)));
    const { headers, body = '' } = second.received[0] ?? {};
    const [instant = '', signature] = String(headers?.['herald-signature']).split(',');
    expect(signature).toBe(`v1=${hmacByOpenssl(`${instant.slice(2)}.${body}`, changed)}`);
    room.happen('node.down');
    await untilCount(second.received, 2);
    room.webhooks.configure([aWebhook(second.url)]);
    expect(room.told.at(-1)).toMatchObject({ type: 'webhook.removed', facts: { webhook: 'new', events: 1 } });
  });

  it('show no query of a URL, and name what is not there', async () => {
    const room = aHookRoom([aWebhook('http://127.0.0.1:9/hook?key=hunter2')]);
    expect(room.view()?.url).toBe('http://127.0.0.1:9/hook?…');
    expect(() => room.webhooks.deadLetters('x')).toThrow(/there is no webhook 'x'/);
    expect(() => room.webhooks.redeliver('ops', 'x')).toThrow(/has no dead letter 'x'/);
  });
});
