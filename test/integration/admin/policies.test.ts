import { chmod, mkdir, readFile, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPolicyFiles } from '../../../src/platform/policy-files.ts';
import { readPolicy } from '../../../src/policy/compile-policy.ts';
import { anOpenRoom, type Room } from '../../support/a-room.ts';
import { anAdmin, type RunningAdmin } from '../../support/an-admin.ts';

let room: Room;
let running: RunningAdmin;
let directory: string;

const head = { apiVersion: 'herald/v1', kind: 'Policy', name: 'games' };
const text = '# by hand\napiVersion: herald/v1\nkind: Policy\nname: games\nplace: { maxShare: 40% }\n';

beforeEach(async () => {
  room = anOpenRoom();
  running = await anAdmin(room.registry);
  directory = join(running.policiesDirectory, 'policies');
  await mkdir(directory);
  await running[Symbol.asyncDispose]();
  await mkdir(directory, { recursive: true });
  running = await anAdmin(room.registry, {
    policyFiles: createPolicyFiles(directory),
    // What a reload would have made of the files.
    policies: () => loaded,
  });
});

const loaded = [readPolicy('games.yaml', text).policy ?? raise()];

function raise(): never {
  throw new Error('the policy of this test is wrong');
}

afterEach(async () => {
  await running[Symbol.asyncDispose]();
  room.registry.stop();
  await chmod(directory, 0o755).catch(() => undefined);
});

const put = (body: unknown, headers: Record<string, string> = {}, query = '') =>
  running.ask('PUT', `/v1/policies/games${query}`, { body, headers });

describe('a policy', () => {
  it('that is read and sent back changes nothing and writes nothing', async () => {
    await writeFile(join(directory, 'mine.yaml'), text);
    const got = await running.ask('GET', '/v1/policies/games');
    const answer = await put(got.json, { 'if-match': String(got.headers['etag']) });
    expect(answer.json).toMatchObject({ changes: [], written: false, file: 'mine.yaml' });
    expect(answer.headers['etag']).toBe(got.headers['etag']);
    expect(await readFile(join(directory, 'mine.yaml'), 'utf8')).toBe(text);
  });

  it('is checked, written to the file that has its name, and told as what differs', async () => {
    await writeFile(join(directory, 'mine.yaml'), text);
    const { status, json } = await put({ ...head, place: { maxShare: '30%' } });
    expect([status, json]).toMatchObject([
      200,
      { written: true, file: 'mine.yaml', changes: [{ path: 'place.maxShare', from: '40%', to: '30%' }] },
    ]);
    expect(await readdir(directory)).toEqual(['mine.yaml']);
    const { policy } = readPolicy('mine.yaml', await readFile(join(directory, 'mine.yaml'), 'utf8'));
    expect(policy).toMatchObject({ name: 'games', place: { maxShare: 0.3 } });
    expect(running.feed.since(0).events).toMatchObject([
      { type: 'change.done', facts: { route: 'putPolicy' } },
    ]);
  });

  it('that is new gets a file of its name', async () => {
    const { json } = await running.ask('PUT', '/v1/policies/new', { body: { ...head, name: 'new' } });
    expect(json).toMatchObject({ written: true, file: 'new.yaml' });
    expect(await readdir(directory)).toEqual(['new.yaml']);
  });

  it('may be tried dry', async () => {
    const { json } = await put({ ...head, place: { attempts: 2 } }, {}, '?dryRun=true');
    expect(json).toMatchObject({
      written: false,
      changes: [{ path: 'place.maxShare' }, { path: 'place.attempts', from: 3, to: 2 }],
    });
    expect(await readdir(directory)).toEqual([]);
    expect(running.feed.since(0).events).toEqual([]);
  });

  it('that is wrong is refused with every problem, and nothing is written', async () => {
    const { status, json } = await put({
      ...head,
      place: { maxShare: '300%', attemps: 2 },
      signals: { cpu: {} },
    });
    expect([status, json]).toMatchObject([422, { code: 'HERALD_CONFIG_INVALID' }]);
    const { problems, detail } = json as { problems: { path: string; hint: string }[]; detail: string };
    expect(problems.map(({ path }) => path)).toContain('place.maxShare');
    expect(detail).toContain('did you mean attempts?');
    expect(await readdir(directory)).toEqual([]);
  });

  it('of another name, that cannot name a file, or nested without end is refused', async () => {
    // As text: a writer of JSON would overflow its stack with it before the balancer sees it.
    const deep = `{"apiVersion":"herald/v1","kind":"Policy","name":"games","place":${'{"a":'.repeat(8000)}1${'}'.repeat(8000)}}`;
    for (const body of [{ ...head, name: 'other' }, deep, {}, { ...head, name: 5 }])
      expect((await put(body)).json).toMatchObject({ status: 422, code: 'HERALD_CONFIG_INVALID' });
    for (const body of [[], 'x', null]) expect((await put(body)).status).toBe(422);
    const hidden = await running.ask('PUT', '/v1/policies/.hidden', { body: { ...head, name: '.hidden' } });
    expect(hidden.json).toMatchObject({ code: 'HERALD_CONFIG_INVALID' });
    const outside = await running.ask('PUT', '/v1/policies/..%2Foutside', {
      body: { ...head, name: '../outside' },
    });
    expect(outside.status).toBe(422);
    expect(await readdir(directory)).toEqual([]);
  });
});

describe('two operators at once', () => {
  it('do not overwrite each other: the second is told that it is another version now', async () => {
    await writeFile(join(directory, 'games.yaml'), text);
    const etag = String((await running.ask('GET', '/v1/policies/games')).headers['etag']);
    const both = await Promise.all([
      put({ ...head, place: { maxShare: '30%' } }, { 'if-match': etag }),
      put({ ...head, place: { maxShare: '20%' } }, { 'if-match': etag }),
    ]);
    expect(both.map(({ status }) => status)).toEqual([200, 412]);
    expect(both[1].json).toMatchObject({ code: 'HERALD_PRECONDITION_FAILED', etag: both[0].headers['etag'] });
    const next = { 'if-match': String(both[0].headers['etag']) };
    expect((await put({ ...head, place: { maxShare: '20%' } }, next)).status).toBe(200);
  });

  it('see a change that was made by hand meanwhile', async () => {
    await writeFile(join(directory, 'games.yaml'), text.replace('40%', '45%'));
    const etag = String((await running.ask('GET', '/v1/policies/games')).headers['etag']);
    expect((await put({ ...head }, { 'if-match': etag })).status).toBe(412);
    expect((await put({ ...head }, { 'if-match': `W/${etag}` })).status).toBe(412);
    expect((await put({ ...head }, { 'if-match': '*' })).status).toBe(200);
  });

  it('cannot match what is not there', async () => {
    const { status } = await running.ask('PUT', '/v1/policies/new', {
      body: { ...head, name: 'new' },
      headers: { 'if-match': '*' },
    });
    expect(status).toBe(412);
  });
});

describe('a file that cannot be written', () => {
  it('is one that is a link: a mounted ConfigMap', async () => {
    await writeFile(join(running.policiesDirectory, 'real.yaml'), text);
    await symlink(join(running.policiesDirectory, 'real.yaml'), join(directory, 'games.yaml'));
    const { json } = await put({ ...head });
    expect(json).toMatchObject({
      status: 409,
      code: 'HERALD_POLICY_UNWRITABLE',
      detail: expect.stringContaining('symbolic link'),
    });
  });

  it('is one that holds another policy', async () => {
    await writeFile(join(directory, 'games.yaml'), text.replace('games', 'other'));
    const { json } = await put({ ...head });
    expect(json).toMatchObject({
      code: 'HERALD_POLICY_UNWRITABLE',
      detail: expect.stringContaining('holds another policy'),
    });
  });

  it('is one in a directory that is not there', async () => {
    await using other = await anAdmin(room.registry, {
      policyFiles: createPolicyFiles('/nonexistent/policies'),
    });
    const { json } = await other.ask('PUT', '/v1/policies/games', {
      body: { ...head, place: { attempts: 2 } },
    });
    expect(json).toMatchObject({
      code: 'HERALD_POLICY_UNWRITABLE',
      detail: expect.stringContaining('does not exist'),
    });
  });
});
