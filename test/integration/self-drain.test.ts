import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AdminStateAnswer } from '../../src/protocol/operations.ts';
import { anIdentity } from '../support/a-node.ts';
import { anOpenRoom, type Room } from '../support/a-room.ts';
import { anIntake, type RunningIntake } from '../support/an-intake.ts';
import { aStubControl, type StubControl } from '../support/stub-control.ts';
import { until } from '../support/until.ts';

const fleet = 'fleet-secret-0123456789';
const other = 'other-secret-0123456789';

let room: Room;
let control: StubControl;
let intake: RunningIntake;
let drained: unknown[];

beforeEach(async () => {
  room = anOpenRoom();
  control = aStubControl();
  drained = [];
  intake = await anIntake(room.registry, {
    control,
    onSelfDrain: (told) => drained.push(told),
    reporters: {
      loopbackNeedsToken: false,
      tokens: [
        { name: 'fleet', role: 'report', pools: 'all', secret: fleet },
        { name: 'other', role: 'report', pools: ['games'], secret: other },
        { name: 'reader', role: 'read', pools: 'all', secret: 'reader-secret-0123456789' },
      ],
    },
  });
});

afterEach(async () => {
  await intake[Symbol.asyncDispose]();
  room.registry.stop();
});

async function ask(
  query = '',
  { method = 'GET' as 'GET' | 'POST' | 'HEAD' | 'PUT', headers = {} as Record<string, string> } = {},
) {
  const {
    statusCode,
    body,
    headers: answered,
  } = await request(`${intake.url}/v1/self/drain${query}`, { method, headers });
  const text = await body.text();
  return {
    status: statusCode,
    headers: answered,
    json: text === '' ? undefined : (JSON.parse(text) as unknown),
  };
}

describe('a node', () => {
  it('drains itself, by GET and by POST, under the identity that reports for it', async () => {
    room.report({ id: 'a', identity: '127.0.0.1' });
    expect(await ask()).toMatchObject({
      status: 200,
      json: { nodes: ['a'], operation: { state: 'running' } },
    });
    expect((await ask('?deadlineMs=25000', { method: 'POST' })).status).toBe(200);
    expect(control.asked).toMatchObject([
      { target: ['a'], by: '127.0.0.1', request: { adminState: 'drain', self: true } },
      { target: ['a'], request: { self: true, deadlineMs: 25_000 } },
    ]);
    expect(drained).toEqual([
      { by: '127.0.0.1', pool: 'chat', node: 'a' },
      { by: '127.0.0.1', pool: 'chat', node: 'a' },
    ]);
  });

  it('with a token of the fleet drains the one at its own address only', async () => {
    room.report({ id: 'here', identity: 'fleet' });
    room.report({ id: 'there', identity: 'fleet', host: '10.0.0.9' });
    const headers = { authorization: `Bearer ${fleet}` };
    expect((await ask('', { headers })).json).toMatchObject({ nodes: ['here'] });
    expect((await ask('?node=there', { headers })).json).toMatchObject({
      status: 404,
      code: 'HERALD_NODE_UNKNOWN',
    });
    expect(control.asked.map(({ target }) => target)).toEqual([['here']]);
  });

  it('of another reporter, of another pool or without a known token is not drained', async () => {
    room.report({ id: 'a', identity: 'fleet' });
    expect((await ask()).json).toMatchObject({ code: 'HERALD_NODE_UNKNOWN' });
    expect((await ask('', { headers: { authorization: `Bearer ${other}` } })).status).toBe(404);
    expect((await ask('', { headers: { authorization: 'Bearer nonsense-0123456789' } })).status).toBe(401);
    expect((await ask('', { headers: { authorization: 'Bearer reader-secret-0123456789' } })).status).toBe(
      403,
    );
    expect(control.asked).toEqual([]);
  });

  it('is named where several are at one address', async () => {
    room.report({ id: 'a', identity: 'fleet' });
    room.report({ id: 'b', identity: 'fleet' });
    const headers = { authorization: `Bearer ${fleet}` };
    expect((await ask('', { headers })).json).toMatchObject({
      status: 400,
      detail: expect.stringContaining('node='),
    });
    expect((await ask('?node=b', { headers })).json).toMatchObject({ nodes: ['b'] });
    expect((await ask('?node=c', { headers })).json).toMatchObject({
      detail: expect.stringContaining('it has a, b'),
    });
  });

  it('of the configuration drains itself from its address, or by its name where the address is one', async () => {
    room.registry.addStatic('chat', anIdentity('static', { port: 7000 }));
    expect((await ask()).json).toMatchObject({ nodes: ['static'] });
    room.registry.addStatic('chat', anIdentity('named', { host: 'node.internal', port: 7001 }));
    expect((await ask('?node=named')).status).toBe(404);
    room.registry.node('named').node.registeredBy = 'fleet';
    const headers = { authorization: `Bearer ${fleet}` };
    expect((await ask('?node=named', { headers })).json).toMatchObject({ nodes: ['named'] });
  });
});

describe('waiting', () => {
  it('is over when the operation is', async () => {
    room.report({ id: 'a', identity: '127.0.0.1' });
    const answer = ask('?wait=true');
    await until(
      () => control.asked.length === 1,
      () => 'not asked',
    );
    control.finish('op-1', 'done');
    expect((await answer).json).toMatchObject({ operation: { id: 'op-1', state: 'done' } });
  });

  it('is over at the deadline that was asked for, and answers as it stands', async () => {
    room.report({ id: 'a', identity: '127.0.0.1' });
    const { json } = await ask('?wait=true&deadlineMs=300');
    expect((json as AdminStateAnswer).operation?.state).toBe('running');
  });

  it('ends with its client', async () => {
    room.report({ id: 'a', identity: '127.0.0.1' });
    const given = new AbortController();
    const asked = request(`${intake.url}/v1/self/drain?wait=true`, { signal: given.signal });
    await until(
      () => control.asked.length === 1,
      () => 'not asked',
    );
    given.abort();
    await expect(asked).rejects.toThrow();
    // Nothing is left that would hold up a stop.
    await intake[Symbol.asyncDispose]();
    expect(intake.internalErrors).toEqual([]);
  });
});

describe('what does not drain', () => {
  beforeEach(() => room.report({ id: 'a', identity: '127.0.0.1' }));

  afterEach(() => expect(control.asked).toEqual([]));

  it('is a request for a head, or with another method', async () => {
    expect((await ask('', { method: 'HEAD' })).status).toBe(405);
    expect((await ask('', { method: 'PUT' })).headers['allow']).toBe('HEAD, GET, POST');
  });

  it('is a web page of this machine, whatever it hides', async () => {
    expect((await ask('', { headers: { 'sec-fetch-mode': 'no-cors' } })).status).toBe(403);
    expect((await ask('', { headers: { origin: intake.url } })).status).toBe(403);
  });

  it('is a query with keys or values that are not taken', async () => {
    for (const query of [
      '?wiat=true',
      '?wait=yes',
      '?deadlineMs=-1',
      '?deadlineMs=1e9',
      '?deadlineMs=',
      '?wait=true&wait=true',
    ])
      expect((await ask(query)).json, query).toMatchObject({ status: 400, code: 'HERALD_QUERY_INVALID' });
    expect((await ask('?wiat=true')).json).toMatchObject({
      detail: expect.stringContaining('did you mean wait?'),
    });
  });

  it('is a balancer without control loops', async () => {
    await using plain = await anIntake(room.registry);
    const { statusCode, body } = await request(`${plain.url}/v1/self/drain`);
    expect([statusCode, await body.json()]).toMatchObject([501, { code: 'HERALD_NOT_AVAILABLE' }]);
  });
});
