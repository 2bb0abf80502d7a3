import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cookies } from '../../support/a-policy.ts';
import { parse } from 'yaml';
import { z } from 'zod';
import { defaultPolicy, parsePolicy } from '../../../src/policy/compile-policy.ts';

const config = join(import.meta.dirname, '../../../config');
const read = (name: string): string => readFileSync(join(config, name), 'utf8');
const head = 'apiVersion: herald/v1\nkind: Policy\nname: chat\n';

function expectFrozen(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  expect(Object.isFrozen(value)).toBe(true);
  for (const part of Object.values(value)) expectFrozen(part);
}

/** Every path of a mapping, so that two files can be compared by the keys they name. */
function pathsOf(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null) return [prefix];
  if (Object.keys(value).length === 0) return [prefix];
  return Object.entries(value).flatMap(([key, part]) => pathsOf(part, `${prefix}.${key}`));
}

describe('a compiled policy', () => {
  it('has every default when only its name is written, as default.yaml spells them out', () => {
    expect(parsePolicy('p.yaml', 'apiVersion: herald/v1\nkind: Policy\nname: default\n')).toEqual(
      parsePolicy('default.yaml', read('policies/default.yaml')),
    );
    expect(defaultPolicy('default')).toEqual(parsePolicy('default.yaml', read('policies/default.yaml')));
  });

  it('has no default that default.yaml leaves out', () => {
    const schema = z.object({ properties: z.record(z.string(), z.unknown()) });
    const { properties } = schema.parse(JSON.parse(read('policy.schema.json')));
    const written = pathsOf(parse(read('policies/default.yaml')));
    for (const [key, section] of Object.entries(properties)) {
      const { success, data } = schema.safeParse(section);
      const keys = success && key !== 'signals' ? Object.keys(data.properties) : [];
      // Cookie keys are an error under `kind: none`.
      for (const inner of keys.filter(() => key !== 'affinity')) {
        expect(
          written.some((path) => path.startsWith(`.${key}.${inner}`)),
          `${key}.${inner}`,
        ).toBe(true);
      }
    }
  });

  it('has base units and units in its names', () => {
    expect(defaultPolicy('x')).toEqual({
      name: 'x',
      signals: [
        { name: 'cpu', kind: 'additive', saturation: 0.8 },
        { name: 'eventLoopUtilization', kind: 'additive', saturation: 0.85 },
        { name: 'throughput', kind: 'additive', saturation: 'auto' },
        { name: 'eventLoopLag', kind: 'distress', saturation: 50 },
      ],
      score: { combine: 'max', weights: {}, smoothingMs: 1000 },
      reports: { intervalMs: 1000, blackoutMs: 5000, expiryMs: 10_000 },
      place: {
        picker: 'waterfill',
        horizonMs: 'auto',
        maxShare: 0.5,
        attempts: 3,
        slowStartMs: 60_000,
        connectRatePerSecond: 200,
      },
      admit: {
        ratePerSecond: 'off',
        burstMs: 1000,
        fillTo: 1,
        overfillAfterMs: 10_000,
        queueLength: 5000,
        maxWaitMs: 5000,
        maxConnections: 'off',
        refuse: 'close',
        requests: 'pass',
      },
      affinity: { kind: 'none' },
      drain: { deadlineMs: 600_000, ratePerSecond: 'auto', closeCode: 1012, closeReason: 'reconnect' },
      rebalance: {
        mode: 'advise',
        floor: 0.5,
        band: 0.1,
        forMs: 60_000,
        ratePerSecond: 0.001,
        cooldownMs: 300_000,
        choose: 'heaviest',
      },
      scale: {
        min: 2,
        max: 50,
        target: 0.6,
        startTimeMs: 90_000,
        windowMs: 'auto',
        survive: 0,
        surviveOf: 'node',
        up: { afterMs: 0, step: 'all' },
        down: { afterMs: 300_000, step: { share: 0.25 }, drainMs: 1_200_000 },
        victims: 'any',
      },
      health: {
        check: { kind: 'tcp', path: '', intervalMs: 5000, timeoutMs: 2000, fall: 3, rise: 2 },
        passive: { errors: 5, windowMs: 10_000, ejectMs: 30_000, maxEjected: 0.5 },
      },
    });
  });

  it('is frozen all the way down', () => {
    expectFrozen(defaultPolicy('x'));
    expectFrozen(parsePolicy('chat.yaml', read('policies/chat.yaml')));
  });

  it('takes custom signals for distress unless they say otherwise, in their own unit', () => {
    const policy = parsePolicy(
      'p.yaml',
      `${head}signals:\n  queueDelayMs: { saturation: 50 }\n  busyFraction: { saturation: 0.8, kind: additive }\n  cpu: {}\n`,
    );
    expect(policy.signals).toEqual([
      { name: 'cpu', kind: 'additive', saturation: 0.8 },
      { name: 'queueDelayMs', kind: 'distress', saturation: 50 },
      { name: 'busyFraction', kind: 'additive', saturation: 0.8 },
    ]);
  });

  it('takes a custom signal with a name near a built-in one when it states its kind', () => {
    const policy = parsePolicy(
      'p.yaml',
      `${head}signals: { cpu: {}, cpu2: { saturation: 1, kind: distress } }\n`,
    );
    expect(policy.signals.map(({ name }) => name)).toEqual(['cpu', 'cpu2']);
  });

  it('takes steps of scaling as nodes, as a part of them, or as all', () => {
    const stepOf = (step: string) =>
      parsePolicy(
        'p.yaml',
        `apiVersion: herald/v1\nkind: Policy\nname: x\nscale: { down: { step: ${step} } }\n`,
      ).scale.down.step;
    expect(['3', '10%', 'all'].map(stepOf)).toEqual([3, { share: 0.1 }, 'all']);
  });

  it('reads the example of a chat service', () => {
    const policy = parsePolicy('chat.yaml', read('policies/chat.yaml'));
    expect(policy.affinity).toEqual(cookies);
    expect(policy.signals.at(-1)).toEqual({ name: 'queueDelayMs', kind: 'distress', saturation: 50 });
    expect(policy.signals).toContainEqual({ name: 'throughput', kind: 'additive', saturation: 7000 });
    expect(policy.health.check).toMatchObject({ kind: 'http', path: '/healthz' });
  });

  it('gives a cookie its name and the level at which it yields', () => {
    expect(parsePolicy('p.yaml', `${head}affinity: { kind: cookie }\n`).affinity).toEqual(cookies);
  });

  it('gives each kind of affinity what it needs', () => {
    const affinityOf = (written: string) => parsePolicy('p.yaml', `${head}affinity: ${written}\n`).affinity;
    const rest = { yieldAt: 1.1, bound: 1.25 };
    expect(affinityOf('{ kind: header, name: X-Session }')).toEqual({
      kind: 'header',
      name: 'x-session',
      segment: 0,
      ...rest,
    });
    expect(affinityOf('{ kind: query, name: Sid, bound: off }')).toMatchObject({
      name: 'Sid',
      bound: Infinity,
    });
    expect(affinityOf('{ kind: path, segment: 3, bound: 200% }')).toMatchObject({ segment: 3, bound: 2 });
    expect(affinityOf('{ kind: source, yieldAt: 90% }')).toEqual({
      ...rest,
      kind: 'source',
      name: '',
      segment: 0,
      yieldAt: 0.9,
    });
    expect(
      affinityOf('{ kind: cookie, secure: always, sameSite: none, httpOnly: false, maxAge: 1h }'),
    ).toMatchObject({ secure: 'always', sameSite: 'none', httpOnly: false, maxAgeMs: 3_600_000 });
  });

  it.each([
    ['tcp', { kind: 'tcp', path: '' }],
    ['{ path: /up }', { kind: 'http', path: '/up' }],
    ['{ kind: http, path: /up }', { kind: 'http', path: '/up' }],
    ['{ rise: 1 }', { kind: 'tcp', rise: 1 }],
    ['off', { kind: 'off' }],
    ['{ kind: off }', { kind: 'off' }],
  ])('reads health.check: %s', (written, check) => {
    expect(parsePolicy('p.yaml', `${head}health: { check: ${written} }\n`).health.check).toMatchObject(check);
  });
});

describe('the generated JSON schemas', () => {
  it.each([
    ['policy.schema.json', 'policies/default.yaml'],
    ['policy.schema.json', 'policies/chat.yaml'],
    ['config.schema.json', 'herald.yaml'],
  ])('%s takes %s', (schema, file) => {
    const editor = z.fromJSONSchema(JSON.parse(read(schema)) as Parameters<typeof z.fromJSONSchema>[0]);
    expect(editor.safeParse(parse(read(file))).error).toBeUndefined();
  });

  it('refuse a misspelt key, a bare number and what is planned', () => {
    const policy = z.fromJSONSchema(
      JSON.parse(read('policy.schema.json')) as Parameters<typeof z.fromJSONSchema>[0],
    );
    const base = { apiVersion: 'herald/v1', kind: 'Policy', name: 'x' };
    expect(policy.safeParse(base).success).toBe(true);
    expect(policy.safeParse({ ...base, plaec: {} }).success).toBe(false);
    expect(policy.safeParse({ ...base, drain: { deadline: 10 } }).success).toBe(false);
    const config = z.fromJSONSchema(
      JSON.parse(read('config.schema.json')) as Parameters<typeof z.fromJSONSchema>[0],
    );
    const listeners = [{ bind: '127.0.0.1:80', tls: {} }];
    expect(
      config.safeParse({ apiVersion: 'herald/v1', kind: 'Config', pools: { a: {} }, listeners }).success,
    ).toBe(false);
  });

  it.each(['policies/default.yaml', 'policies/chat.yaml', 'herald.yaml'])(
    '%s names its schema for editors',
    (file) => {
      const schema = file === 'herald.yaml' ? './config.schema.json' : '../policy.schema.json';
      expect(read(file).split('\n')[0]).toBe(`# yaml-language-server: $schema=${schema}`);
    },
  );
});
