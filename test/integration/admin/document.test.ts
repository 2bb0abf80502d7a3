import { Validator } from '@seriousme/openapi-schema-validator';
import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adminRoutes } from '../../../src/balancer/admin/api/routes.ts';
import type { RouteSpec } from '../../../src/balancer/admin/api/route-spec.ts';
import { errorCatalogue } from '../../../src/core/error.ts';
import { anIdentity } from '../../support/a-node.ts';
import { anOpenRoom, type Room } from '../../support/a-room.ts';
import { anAdmin, type RunningAdmin } from '../../support/an-admin.ts';
import { aScaling, aStubFeed } from '../../support/a-scaling.ts';
import { aStubControl, type StubControl } from '../../support/stub-control.ts';
import { aStubTakeover } from '../../support/stub-takeover.ts';
import { aStubDesk } from '../../support/stub-webhooks.ts';

let room: Room;
let control: StubControl;
let running: RunningAdmin;

beforeEach(async () => {
  room = anOpenRoom();
  control = aStubControl();
  const scale = aStubFeed((pool) => new Error(`nothing was said of ${pool}`));
  const victim = { id: 'b', zone: 'eu-1', connections: 5, reason: 'the fewest' };
  scale.say(aScaling({ action: 'in', desiredNodes: 2, victims: [victim] }));
  running = await anAdmin(room.registry, {
    control,
    scale,
    webhooks: aStubDesk(),
    takeover: aStubTakeover(),
    stateClock: room.clock,
  });
  room.registry.addStatic('chat', anIdentity('a', { capacity: 2, zone: 'eu-1', maxConnections: 10 }));
  for (let i = 0; i < 5; i++) {
    room.report({ id: 'b', signals: { cpu: 0.2, eventLoopLagMs: 3 }, connections: 5, version: '1.2.3' });
    room.clock.advance(1000);
  }
});

afterEach(async () => {
  await running[Symbol.asyncDispose]();
  room.registry.stop();
});

const specs: readonly (readonly [string, RouteSpec])[] = Object.entries(adminRoutes);

/** A request to each route that goes well, in an order in which they do. */
const good: Readonly<Record<string, { path?: string; body?: unknown }>> = {
  explainPool: {},
  beginDrains: { body: { nodes: ['a'], deadlineMs: 60_000, why: 'test' } },
  beginRebalance: { body: { ratePerSecond: 1 } },
  putPoolFreeze: { body: { frozen: true, why: 'test' } },
  setAdminState: { body: { adminState: 'drain', force: true } },
  putFreeze: { body: { frozen: false } },
  putPolicy: { body: { apiVersion: 'herald/v1', kind: 'Policy', name: 'chat', place: { attempts: 2 } } },
};

function pathOf({ path }: RouteSpec): string {
  const isOperation = path.startsWith('/v1/operations/');
  return path
    .replace('{pool}', 'chat')
    .replace('{name}', 'chat')
    .replace('{id}', isOperation ? 'op-1' : 'b');
}

describe('openapi.json', () => {
  it('is a valid OpenAPI 3.1 document, by a validator of others', async () => {
    const { json } = await running.ask('GET', '/openapi.json');
    const validator = new Validator();
    // Proof of the cast: parsed JSON of an object.
    const { valid, errors } = await validator.validate(json as Record<string, unknown>);
    expect([valid, errors]).toEqual([true, undefined]);
    expect(validator.version).toBe('3.1');
  });

  it('is the one in docs/reference, but for the version', async () => {
    const { json } = await running.ask('GET', '/openapi.json');
    const page: unknown = JSON.parse(
      readFileSync(join(import.meta.dirname, '../../../docs/reference/openapi.json'), 'utf8'),
    );
    expect({ ...(json as object), info: {} }).toEqual({ ...(page as object), info: {} });
  });

  it('says what is answered: every member of every answer, and no other', async () => {
    control.addOperation();
    // What removes comes last.
    const ordered = specs.toSorted(
      ([, a], [, b]) => Number(a.method === 'DELETE') - Number(b.method === 'DELETE'),
    );
    for (const [id, spec] of ordered.filter(([name]) => name !== 'followEvents')) {
      const { path = pathOf(spec), body } = good[id] ?? {};
      const { status, json } = await running.ask(spec.method, path, body === undefined ? {} : { body });
      const answer = spec.answers.find((each) => each.status === status);
      expect(answer, `${id}: ${status} ${JSON.stringify(json)}`).toBeDefined();
      // Parsing leaves out what the schema does not name.
      if (answer?.schema !== undefined) expect(answer.schema.parse(json), id).toEqual(json);
    }
  });
});

describe('any request', () => {
  const names = fc.oneof(
    fc.constantFrom(
      'chat',
      'a',
      'b',
      'op-1',
      'games',
      '__proto__',
      'constructor',
      '..',
      '%00',
      '%ff',
      '%2F',
      '%',
    ),
    fc
      .string({ minLength: 1, maxLength: 80 })
      .map((text) => encodeURIComponent(text.replaceAll(/[\ud800-\udfff]/g, ''))),
  );
  const queries = fc.oneof(
    fc.constant(''),
    fc.constantFrom(
      '?dryRun=true',
      '?pool=chat',
      '?state=running',
      '?pool',
      '?=',
      '?%',
      '?__proto__=1',
      '?a=%ff&a=1',
    ),
    fc.webQueryParameters().map((text) => `?${text}`),
  );
  const values = fc.oneof(
    fc.jsonValue({ maxDepth: 3 }),
    fc.constantFrom('drain', 'ready', true, 1, -1, 1e300, ['a'], null),
  );
  const keys = fc.constantFrom(
    'adminState',
    'nodes',
    'deadlineMs',
    'ratePerSecond',
    'force',
    'dryRun',
    'self',
    'why',
    'frozen',
    'name',
    'apiVersion',
    'kind',
    'signals',
    'place',
    '__proto__',
    'toString',
  );
  const bodies = fc.oneof(
    fc.dictionary(keys, values).map((body) => JSON.stringify(body)),
    fc.jsonValue({ maxDepth: 4 }).map((body) => JSON.stringify(body)),
    fc.string(),
    // Sound but for some keys.
    fc
      .tuple(
        fc.constantFrom(...Object.values(good).map(({ body }) => body ?? {})),
        fc.dictionary(keys, values, { maxKeys: 2 }),
      )
      .map(([sound, odd]) => JSON.stringify({ ...(sound as object), ...odd })),
  );
  const headers = fc.record(
    {
      'idempotency-key': fc.constantFrom('k', 'x'.repeat(70), ' '),
      'herald-why': fc.constantFrom('because', 'x'.repeat(300)),
      'if-match': fc.constantFrom('*', '"x"', 'W/"x", "y"', ','),
      'content-type': fc.constantFrom('application/json', 'text/plain', 'application/json; charset=utf-16'),
      'content-encoding': fc.constantFrom('gzip', 'identity'),
    },
    { requiredKeys: [] },
  );
  const cases = fc.record({
    route: fc.constantFrom(...specs.filter(([id]) => id !== 'followEvents').map(([, spec]) => spec)),
    name: names,
    query: queries,
    body: fc.option(bodies, { nil: undefined }),
    headers,
  });

  it('is answered by what is documented or by a problem with a code, never by 500', async () => {
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(cases, async ({ route, name, query, body, headers }) => {
        const path = route.path.replace(/\{\w+\}/, () => name) + query;
        const { status, json } = await running.ask(route.method, path, {
          headers,
          ...(body === undefined ? {} : { body }),
        });
        statuses.add(status);
        expect(running.internalErrors).toEqual([]);
        expect(status).not.toBe(500);
        if (status < 400) return;
        // HEAD and some broken targets are answered by the parser of HTTP itself, in the same form.
        const { code } = json as { code: keyof typeof errorCatalogue };
        expect(errorCatalogue[code].status).toBe(status);
      }),
      { seed: 4, numRuns: 1500 },
    );
    for (const status of [200, 404, 415, 422, 400]) expect([...statuses]).toContain(status);
  });
});
