import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeraldError } from '../../../src/core/error.ts';
import { builtinSignals } from '../../../src/core/signal.ts';
import { decodeReport } from '../../../src/protocol/decode-report.ts';
import { decodeReportAnswer, encodeReport } from '../../../src/protocol/report.ts';
import type { Report } from '../../../src/protocol/report.ts';

const full = {
  version: 1,
  pool: 'chat',
  node: { id: 'a', address: '10.0.0.1:8081', capacity: 2, zone: 'eu-1', version: '1.2.3' },
  epoch: '01J',
  seq: 12,
  ageMs: 3,
  intervalMs: 1000,
  connections: 412,
  signals: {
    cpu: 0.42,
    eventLoopLagMs: 3.1,
    eventLoopUtilization: 0.3,
    throughput: 812.5,
    memory: 0.4,
    custom: { queueDelayMs: 3 },
  },
};

interface Told {
  readonly paths: readonly string[];
  readonly message: string;
}

/** What decoding complains about; fails when it does not. */
function refusal(body: unknown): Told {
  try {
    decodeReport(body);
  } catch (error) {
    if (!(error instanceof HeraldError) || error.code !== 'HERALD_REPORT_INVALID') throw error;
    const problems = error.details['problems'] as { path: string }[];
    return { paths: problems.map(({ path }) => path), message: error.message };
  }
  throw new Error('was taken');
}

const changed = (changes: object) => ({ ...full, ...changes });
const withNode = (changes: object) => changed({ node: { ...full.node, ...changes } });
const withSignals = (changes: object) => changed({ signals: { ...full.signals, ...changes } });
const withCustom = (custom: unknown) => withSignals({ custom });

const named = (count: number) =>
  withCustom(Object.fromEntries(Array.from({ length: count }, (_, index) => [`c${index}`, index])));

describe('decodeReport', () => {
  it('reads the report of the design, with policy names of signals', () => {
    expect(decodeReport(full)).toEqual({
      pool: 'chat',
      node: full.node,
      epoch: '01J',
      seq: 12,
      ageMs: 3,
      intervalMs: 1000,
      connections: 412,
      signals: {
        cpu: 0.42,
        eventLoopLag: 3.1,
        eventLoopUtilization: 0.3,
        throughput: 812.5,
        memory: 0.4,
        queueDelayMs: 3,
      },
      leaving: false,
    });
  });

  it('reads a last report', () => {
    expect(decodeReport(changed({ leaving: true })).leaving).toBe(true);
  });

  it('needs no signal and no detail of the node', () => {
    const report = decodeReport(changed({ node: { id: 'a' }, signals: {} }));
    expect(report.node).toEqual({ id: 'a' });
    expect(Object.keys(report.signals)).toEqual([]);
  });

  it('tells every problem at once, with path and hint', () => {
    const { paths, message } = refusal(
      changed({ pool: '', seq: -1, ageMs: '3', signals: { cpu: -0.1, custom: { '9': 1 } } }),
    );
    expect(paths).toEqual(['pool', 'seq', 'ageMs', 'signals.cpu', 'signals.custom.9']);
    expect(message).toContain(
      'ageMs: must be a number from 0 to 60000, is "3" (send a number, not a string)',
    );
  });

  it('names the nearest key for a misspelt one', () => {
    expect(refusal(changed({ conections: 1 })).message).toContain('write connections');
    expect(refusal(withNode({ capcity: 1 })).message).toContain(
      'node.capcity: unknown key "capcity" (write capacity)',
    );
    expect(refusal(withSignals({ eventLoopLag: 1 })).message).toContain('write eventLoopLagMs');
    expect(refusal(withSignals({ zzzzzzzzzzzzzzz: 1 })).message).toContain('known keys: cpu,');
  });

  it('says one thing only of what is no object', () => {
    for (const body of [undefined, null, 1, 'report', [], [full], true]) {
      expect(refusal(body).paths).toEqual(['report']);
    }
  });

  it('names every key that is missing', () => {
    expect(refusal({}).paths.toSorted()).toEqual([
      'ageMs',
      'connections',
      'epoch',
      'intervalMs',
      'node',
      'node.id',
      'pool',
      'seq',
      'signals',
      'version',
    ]);
  });

  it('lists a bounded number of problems and counts the rest', () => {
    const many = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`x${index}`, 1]));
    const { paths, message } = refusal(changed(many));
    expect(paths).toHaveLength(64);
    expect(message).toContain('and 1936 more');
  });

  it('shows nothing that could drive a terminal or forge a log line', () => {
    const { message } = refusal(changed({ 'a\u001B[2J\n\u202E': 1, pool: 'p\n\u001B[31m' }));
    expect(message).toMatch(/^[\x20-\x7e]*$/);
  });
});

describe('decodeReport refuses', () => {
  const cases: [string, unknown, string][] = [
    ['another version', changed({ version: 2 }), 'version'],
    ['NaN', withSignals({ cpu: Number.NaN }), 'signals.cpu'],
    ['infinity', withSignals(JSON.parse('{"cpu":1e999}') as object), 'signals.cpu'],
    ['a negative signal', withSignals({ memory: -1 }), 'signals.memory'],
    ['a signal above 1e12', withSignals({ throughput: 1.1e12 }), 'signals.throughput'],
    ['null for a signal', withSignals({ cpu: null }), 'signals.cpu'],
    ['an unsafe seq', changed({ seq: 2 ** 53 }), 'seq'],
    ['a fraction as seq', changed({ seq: 0.5 }), 'seq'],
    ['a sample older than a minute', changed({ ageMs: 60_001 }), 'ageMs'],
    ['a sample from the future', changed({ ageMs: -1 }), 'ageMs'],
    ['a date as age', changed({ ageMs: 1_700_000_000_000 }), 'ageMs'],
    ['an interval below 50 ms', changed({ intervalMs: 49 }), 'intervalMs'],
    ['an interval of zero', changed({ intervalMs: 0 }), 'intervalMs'],
    ['half a connection', changed({ connections: 1.5 }), 'connections'],
    ['more connections than a process can hold', changed({ connections: 1e7 + 1 }), 'connections'],
    ['a capacity of zero', withNode({ capacity: 0 }), 'node.capacity'],
    ['a negative zero as capacity', withNode({ capacity: -0 }), 'node.capacity'],
    ['a capacity above 1000', withNode({ capacity: 1000.1 }), 'node.capacity'],
    ['an id with a slash', withNode({ id: '../a' }), 'node.id'],
    ['an id of 65 characters', withNode({ id: 'a'.repeat(65) }), 'node.id'],
    ['an id that ends with a line feed', withNode({ id: 'a\n' }), 'node.id'],
    ['an address without a port', withNode({ address: '10.0.0.1' }), 'node.address'],
    ['an address with port 0', withNode({ address: '10.0.0.1:0' }), 'node.address'],
    ['an address with port 65536', withNode({ address: '10.0.0.1:65536' }), 'node.address'],
    ['an IPv6 address without brackets', withNode({ address: '::1:8081' }), 'node.address'],
    ['an address with a path', withNode({ address: 'a:80/x' }), 'node.address'],
    ['port 0', withNode({ address: undefined, port: 0 }), 'node.port'],
    ['a port that contradicts the address', withNode({ port: 9 }), 'node.port'],
    ['control characters in the zone', withNode({ zone: 'eu\u001B[2J' }), 'node.zone'],
    ['control characters in the version', withNode({ version: '1\n2' }), 'node.version'],
    ['direction marks in the version', withNode({ version: '1\u202E2' }), 'node.version'],
    ['an empty zone', withNode({ zone: '' }), 'node.zone'],
    ['leaving that is no boolean', changed({ leaving: 'yes' }), 'leaving'],
    ['a custom signal with a hyphen', withCustom({ 'queue-delay': 1 }), 'signals.custom.queue-delay'],
    [
      'a custom signal of 65 characters',
      withCustom({ ['a'.repeat(65)]: 1 }),
      `signals.custom.${'a'.repeat(64)}`,
    ],
    [
      'a custom signal with the name of a builtin',
      withCustom({ eventLoopLag: 1 }),
      'signals.custom.eventLoopLag',
    ],
    [
      'a custom signal with a builtin key',
      withCustom({ eventLoopLagMs: 1 }),
      'signals.custom.eventLoopLagMs',
    ],
    ['a custom signal named constructor', withCustom({ constructor: 1 }), 'signals.custom.constructor'],
    ['a custom value that is no number', withCustom({ a: '1' }), 'signals.custom.a'],
    ['custom signals as a list', withCustom([1]), 'signals.custom'],
  ];

  for (const [what, body, path] of cases) {
    it(what, () => {
      expect(refusal(body).paths).toContain(path);
    });
  }

  it('more than 32 custom signals', () => {
    expect(Object.keys(decodeReport(named(32)).signals)).toHaveLength(32 + 5);
    expect(refusal(named(33)).paths).toEqual(['signals.custom']);
  });

  it('keys that would change prototypes, and changes none', () => {
    for (const where of ['{"__proto__":{"polluted":1}}', '{"custom":{"__proto__":1}}']) {
      expect(refusal(changed({ signals: JSON.parse(where) as unknown })).paths).toHaveLength(1);
    }
    expect(refusal({ ...(JSON.parse('{"__proto__":{"polluted":1}}') as object) }).message).toContain(
      'version',
    );
    const top = JSON.parse(JSON.stringify(full).replace('{', '{"__proto__":{"pool":"x"},')) as unknown;
    expect(refusal(top).paths).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(decodeReport(changed({ signals: {} })).signals['toString']).toBeUndefined();
  });
});

const idOf = fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/);
const label = fc.stringMatching(/^[ -~]{1,64}$/);
const positive = (max: number) => fc.double({ min: 0, max, noNaN: true }).map((value) => value + 0);
const customName = fc
  .stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,63}$/)
  .filter((name) => !(name in Object.prototype) && !['prototype', 'eventLoopLagMs'].includes(name));
const signals = fc
  .tuple(
    fc.dictionary(fc.constantFrom(...Object.keys(builtinSignals)), positive(1e12)),
    fc.dictionary(customName, positive(1e12), { maxKeys: 32 }),
  )
  .map(([builtin, custom]) => Object.assign(custom, builtin));
const maybe = { requiredKeys: ['id'] as ['id'] };
const anyReport: fc.Arbitrary<Report> = fc.record({
  pool: idOf,
  node: fc.record(
    {
      id: idOf,
      address: fc.constantFrom('10.0.0.1:8081', '[::1]:8081', 'chat_1.internal:8081'),
      port: fc.constant(8081),
      capacity: fc.double({ min: 1e-6, max: 1000, noNaN: true }),
      zone: label,
      version: label,
    },
    maybe,
  ),
  epoch: idOf,
  seq: fc.maxSafeNat(),
  ageMs: positive(60_000),
  intervalMs: fc.double({ min: 50, max: 60_000, noNaN: true }),
  connections: fc.nat(1e7),
  signals,
  leaving: fc.boolean(),
});

describe('what an agent can do', () => {
  it('is kept as it says, and absent from the JSON of one that says nothing', () => {
    const able = { ...decodeReport(full), capabilities: ['shed', 'x-more'] };
    expect(decodeReport(JSON.parse(JSON.stringify(encodeReport(able))))).toEqual(able);
    expect(Object.keys(encodeReport(decodeReport(full)))).not.toContain('capabilities');
  });

  it.each([['shed'], [7], [['shed', 8]], [['a b']], [Array.from({ length: 17 }, () => 'x')], [null]])(
    'is refused as %j',
    (capabilities) => {
      expect(refusal(changed({ capabilities })).paths).toEqual(['capabilities']);
    },
  );
});

describe('the directive to shed', () => {
  const answer = (shed: unknown) => decodeReportAnswer({ directives: { adminState: 'drain', shed } });

  it('is a count and a time', () => {
    expect(answer({ count: 20, byMs: 9000, more: 1 })?.directives.shed).toEqual({ count: 20, byMs: 9000 });
  });

  it.each([
    [{ count: 0, byMs: 5 }],
    [{ count: 1.5, byMs: 5 }],
    [{ count: 2, byMs: 0 }],
    [{ count: 2 }],
    ['2'],
    [null],
  ])('is passed over as %j', (shed) => {
    expect(answer(shed)).toEqual({ directives: { adminState: 'drain' } });
  });
});

describe('the codec', () => {
  it('reads back every report that it writes', () => {
    fc.assert(
      fc.property(anyReport, (report) => {
        expect(decodeReport(JSON.parse(JSON.stringify(encodeReport(report))))).toEqual(report);
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  it('answers any JSON with a report or a HeraldError', () => {
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 4 }),
        fc.constantFrom(...Object.keys(full), 'leaving'),
        (value, key) => {
          for (const body of [
            value,
            changed({ [key]: value }),
            withNode({ [key]: value }),
            withCustom(value),
          ]) {
            try {
              decodeReport(body);
            } catch (error) {
              expect(error).toBeInstanceOf(HeraldError);
            }
          }
        },
      ),
      { numRuns: 500, seed: 1 },
    );
  });
});

describe('decodeReportAnswer', () => {
  it('reads the admin state and passes over keys of newer balancers', () => {
    expect(decodeReportAnswer({ directives: { adminState: 'drain', shed: 3, move: 1 }, more: 1 })).toEqual({
      directives: { adminState: 'drain' },
    });
  });

  it('is undefined for anything else', () => {
    for (const body of [
      undefined,
      null,
      'ok',
      [],
      {},
      { directives: null },
      { directives: { adminState: 'up' } },
    ]) {
      expect(decodeReportAnswer(body)).toBeUndefined();
    }
  });
});
