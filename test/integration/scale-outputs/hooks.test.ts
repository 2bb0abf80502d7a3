// The hooks that Agones and AWS call, on a real intake.
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { agonesRoutes } from '../../../src/balancer/scale-outputs/agones.ts';
import { createTellAws } from '../../../src/balancer/scale-outputs/asg-call.ts';
import { AsgHooks, type LifecycleAnswer } from '../../../src/balancer/scale-outputs/asg-hooks.ts';
import { asgRoutes } from '../../../src/balancer/scale-outputs/asg.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { createSystemClock } from '../../../src/platform/system-clock.ts';
import type { AsgConfig, TokenConfig } from '../../../src/policy/config.ts';
import { aLifecycleEvent } from '../../support/a-lifecycle-event.ts';
import { aRoom, type Room } from '../../support/a-room.ts';
import { aScaling, anUnknownScaling, type StubFeed } from '../../support/a-scaling.ts';
import { anIntake, type RunningIntake } from '../../support/an-intake.ts';
import { aStubControl, type StubControl } from '../../support/stub-control.ts';
import { aStubScaleFeed } from '../../support/stub-scale-feed.ts';
import { until } from '../../support/until.ts';

const instance = 'i-0123456789abcdef0';
const operator = 'operator-secret-0123456789';
const reporter = 'reporter-secret-0123456789';

let room: Room;
let feed: StubFeed;
let control: StubControl;
let tokens: TokenConfig[];
let hooks: AsgHooks | undefined;
let intake: RunningIntake;
let folder: string;
let events: string[];

async function start(asg?: Partial<AsgConfig>): Promise<void> {
  const clock = createSystemClock();
  hooks =
    asg &&
    new AsgHooks({
      config: {
        groups: ['chat-nodes-*'],
        nodes: '{instance}',
        timeoutMs: 60_000,
        heartbeat: undefined,
        complete: { kind: 'command', command: ['true'] },
        ...asg,
      },
      clock,
      rng: pcg32(1),
      control,
      tell: ({ type, message }) => events.push(`${type}: ${message}`),
      tellAws: createTellAws({ clock, environment: process.env }),
      nodes: () =>
        [...room.registry.pools.values()].flatMap(({ name, nodes }) =>
          [...nodes.keys()].map((id) => ({ pool: name, id })),
        ),
    });
  intake = await anIntake(room.registry, {
    hooks: { ...agonesRoutes(feed), ...asgRoutes(hooks, () => tokens) },
  });
}

beforeEach(() => {
  room = aRoom({ nodes: [instance] });
  feed = aStubScaleFeed(aScaling());
  control = aStubControl();
  tokens = [
    { name: 'aws', role: 'operate', pools: 'all', secret: operator },
    { name: 'fleet', role: 'report', pools: 'all', secret: reporter },
  ];
  folder = mkdtempSync(join(tmpdir(), 'herald-hooks-'));
  events = [];
});

afterEach(async () => {
  hooks?.stop();
  await intake[Symbol.asyncDispose]();
  room.registry.stop();
  rmSync(folder, { recursive: true, force: true });
  expect(intake.internalErrors).toEqual([]);
});

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const answer = await request(`${intake.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const json = (await answer.body.json()) as Record<string, unknown>;
  return { status: answer.statusCode, json };
}

describe('Agones', () => {
  const review = (replicas: number) => ({
    request: {
      uid: '9a1c2f5e',
      name: 'chat',
      namespace: 'games',
      status: { replicas, readyReplicas: 1, reservedReplicas: 0, allocatedReplicas: 2 },
      annotations: { a: 'b' },
    },
    response: null,
  });

  it('gets its own request back with the response, by query and by path, without a token', async () => {
    await start();
    feed.say(aScaling({ action: 'out', desiredNodes: 5, reason: 'Busy.' }));
    const response = { uid: '9a1c2f5e', scale: true, replicas: 5, reason: 'Busy.' };
    for (const path of ['/v1/hooks/agones?pool=chat', '/v1/hooks/agones/chat'])
      expect(await post(path, review(3))).toEqual({
        status: 200,
        json: { request: review(3).request, response },
      });
  });

  it('is told to leave the fleet as it is where the load is not known', async () => {
    await start();
    feed.say(anUnknownScaling({ desiredNodes: 1 }));
    const { status, json } = await post('/v1/hooks/agones/chat', review(3));
    expect([status, json['response']]).toMatchObject([200, { scale: false, replicas: 3 }]);
  });

  it.each([
    ['/v1/hooks/agones/chat', 'no json', 422, 'HERALD_BODY_INVALID'],
    ['/v1/hooks/agones/chat', {}, 422, 'HERALD_BODY_INVALID'],
    ['/v1/hooks/agones/chta', review(1), 404, 'HERALD_POOL_UNKNOWN'],
    ['/v1/hooks/agones', review(1), 400, 'HERALD_QUERY_INVALID'],
    ['/v1/hooks/agones?pool=chat&pool=x', review(1), 400, 'HERALD_QUERY_INVALID'],
    ['/v1/hooks/agones/chat?pool=x', review(1), 400, 'HERALD_QUERY_INVALID'],
    ['/v1/hooks/agones/chat', 'x'.repeat(70_000), 413, 'HERALD_BODY_TOO_LARGE'],
  ])('posting to %s what is wrong gets a problem', async (path, body, status, code) => {
    await start();
    const answer = await post(path, body);
    expect([answer.status, answer.json['code']]).toEqual([status, code]);
  });
});

describe('AWS', () => {
  const bearer = { authorization: `Bearer ${operator}` };

  it('needs a token that may change things, from loopback, too', async () => {
    await start({});
    const wrong = { authorization: 'Bearer wrong-secret-0123456789' };
    const code = async (headers: Record<string, string>) => {
      const { status, json } = await post('/v1/hooks/asg', aLifecycleEvent(), headers);
      return [status, json['code']];
    };
    expect(await code({})).toEqual([401, 'HERALD_TOKEN_INVALID']);
    expect(await code(wrong)).toEqual([401, 'HERALD_TOKEN_INVALID']);
    expect(await code({ authorization: `Bearer ${reporter}` })).toEqual([403, 'HERALD_NOT_ALLOWED']);
    expect(control.asked).toEqual([]);
    tokens = [];
    expect(await code(bearer)).toEqual([401, 'HERALD_TOKEN_INVALID']);
  });

  it('has its instance drained, waits by heartbeats and is told once, by a command without a shell', async () => {
    const log = join(folder, 'calls');
    const script = join(folder, 'tell.sh');
    writeFileSync(script, `#!/bin/sh\nprintf '%s|' "$@" >> ${log}\nprintf '\\n' >> ${log}\n`, {
      mode: 0o755,
    });
    const argv = (verb: string) => [
      script,
      verb,
      '{group}',
      '{hook}',
      '{instance}',
      '{token}',
      '{region} $HOME',
    ];
    await start({
      heartbeat: { kind: 'command', command: argv('heartbeat') },
      complete: { kind: 'command', command: argv('complete') },
    });
    const calls = () => {
      try {
        return readFileSync(log, 'utf8').trim().split('\n');
      } catch {
        return [];
      }
    };
    const first = await post('/v1/hooks/asg', aLifecycleEvent(), bearer);
    expect([first.status, first.json]).toMatchObject([202, { state: 'draining', nodes: [instance] }]);
    await until(
      () => calls().length === 1,
      () => 'no heartbeat',
    );
    control.finish('op-1', 'done');
    const completed = `lifecycle.completed: drained: ${instance} (done)`;
    await until(
      () => events.includes(completed),
      () => events.join(),
    );
    await post('/v1/hooks/asg', aLifecycleEvent(), bearer);
    const rest = `chat-nodes-7Q2X|drain|${instance}|87654321-4321-4321-4321-210987654321|eu-west-1 $HOME|`;
    expect(calls()).toEqual([`heartbeat|${rest}`, `complete|${rest}`]);
    expect(events.filter((event) => event === completed)).toHaveLength(1);
  });

  it('is told by a signed post where that is configured, again after a failure', async () => {
    const got: { body: string; signature: string }[] = [];
    const receiver = await listening(
      createServer((incoming, answer) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const signature = String(incoming.headers['herald-signature']);
          got.push({ body: Buffer.concat(chunks).toString(), signature });
          answer.writeHead(got.length === 1 ? 500 : 204).end();
        });
      }),
    );
    const { port } = receiver.address() as AddressInfo;
    const secret = 'lifecycle-secret-0123456789';
    await start({ complete: { kind: 'url', url: `http://127.0.0.1:${port}/complete`, secret } });
    await post('/v1/hooks/asg', aLifecycleEvent(), bearer);
    control.finish('op-1', 'done');
    await until(
      () => got.length === 2,
      () => `${got.length} posts`,
    );
    await closed(receiver);
    const [, { body, signature } = { body: '', signature: '' }] = got;
    expect(JSON.parse(body)).toMatchObject({
      action: 'complete',
      result: 'CONTINUE',
      instance,
      hook: 'drain',
    });
    const [, at = '', mac] = /^t=(\d+),v1=([0-9a-f]+)$/.exec(signature) ?? [];
    expect(mac).toBe(createHmac('sha256', secret).update(`${at}.${body}`).digest('hex'));
  });

  it('hears that a command cannot be run or fails, in the events of the balancer', async () => {
    await start({
      heartbeat: { kind: 'command', command: ['sh', '-c', 'echo no credentials >&2; exit 3'] },
    });
    await post('/v1/hooks/asg', aLifecycleEvent(), bearer);
    await until(
      () => events.some((event) => event.startsWith('lifecycle.heartbeatFailed')),
      () => events.join(),
    );
    expect(events.at(-1)).toBe(
      'lifecycle.heartbeatFailed: AWS was not told to wait: sh ended with 3: no credentials',
    );
  });

  it('gets a problem for what is no event, and 202 with a reason for another kind of event', async () => {
    await start({});
    const { status, json } = await post('/v1/hooks/asg', { 'detail-type': 'x' }, bearer);
    // Proof of the cast: 202 has this shape; the fields are compared.
    expect([status, (json as unknown as LifecycleAnswer).state]).toEqual([202, 'ignored']);
    expect((await post('/v1/hooks/asg', [], bearer)).status).toBe(422);
    const text = await post('/v1/hooks/asg', aLifecycleEvent(), { ...bearer, 'content-type': 'text/plain' });
    expect(text.json['code']).toBe('HERALD_BODY_NOT_JSON');
  });

  it('is told where lifecycle hooks are not configured', async () => {
    await start();
    expect(await post('/v1/hooks/asg', aLifecycleEvent(), bearer)).toMatchObject({
      status: 501,
      json: { code: 'HERALD_NOT_AVAILABLE', detail: 'the configuration has no section asg' },
    });
  });
});

function listening(server: Server): Promise<Server> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(server));
  });
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
