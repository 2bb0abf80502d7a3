import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeStatsd } from '../../../src/protocol/statsd.ts';

function decode(text: string) {
  return decodeStatsd(Buffer.from(text), (name) => name === 'x');
}

describe('a StatsD datagram', () => {
  it.each([
    ['x:1|c', { kind: 'counter', name: 'x', value: 1 }],
    ['x:-2|c', { kind: 'counter', name: 'x', value: -2 }],
    ['x:3|c|@0.1', { kind: 'counter', name: 'x', value: 30 }],
    ['x:3|c|#env:prod,a|@0.5', { kind: 'counter', name: 'x', value: 6 }],
    ['x:3|c|c:in-1234|T1656581400', { kind: 'counter', name: 'x', value: 3 }],
    ['x:5|g', { kind: 'gauge', name: 'x', value: 5, isChange: false }],
    ['x:+5|g', { kind: 'gauge', name: 'x', value: 5, isChange: true }],
    ['x:-5|g', { kind: 'gauge', name: 'x', value: -5, isChange: true }],
    ['x:12.5|ms', { kind: 'timer', name: 'x', value: 12.5, weight: 1 }],
    ['x:12|h|@0.25', { kind: 'timer', name: 'x', value: 12, weight: 4 }],
    ['x:12|d', { kind: 'timer', name: 'x', value: 12, weight: 1 }],
    ['x:1|c\r\n', { kind: 'counter', name: 'x', value: 1 }],
  ])('%j is a sample', (text, sample) => {
    expect(decode(text)).toEqual({ samples: [sample], refused: [], unknown: 0, malformed: 0 });
  });

  it.each([
    ['x:u1|s', 'it comes as a set (s)'],
    ['x:1|q', 'its type is none of'],
    ['x:1|', 'its type is none of'],
    ['x:|c', 'its value is not a number'],
    ['x:NaN|g', 'its value is not a number'],
    ['x:0x10|c', 'its value is not a number'],
    ['x:1:2:3|ms', 'its value is not a number'],
    ['x:1e300|c', 'its value is beyond'],
    ['x:1|c|@0', 'its sample rate'],
    ['x:1|c|@2', 'its sample rate'],
    ['x:1|c|@-1', 'its sample rate'],
    ['x:1|c|@1e-300', 'its sample rate'],
    ['x:1|c|@', 'its sample rate'],
  ])('%j is refused: %s', (text, reason) => {
    expect(decode(text)).toEqual({
      samples: [],
      refused: [{ name: 'x', reason: expect.stringContaining(reason) }],
      unknown: 0,
      malformed: 0,
    });
  });

  it('may hold several lines, each of which stands for itself', () => {
    const { samples, unknown, malformed } = decode(
      'x:1|c\ny:1|c\n\ngarbage\n:1|c\nx:2\n__proto__:1|c\nx:2|g\n',
    );
    expect(samples.map(({ value }) => value)).toEqual([1, 2]);
    expect({ unknown, malformed }).toEqual({ unknown: 2, malformed: 3 });
  });

  it('of DogStatsD that is an event or a service check counts as malformed or unknown', () => {
    const { samples, refused } = decode('_e{5,4}:title|text\n_sc|name|0\n');
    expect({ samples, refused }).toEqual({ samples: [], refused: [] });
  });

  it('is read without an error and without NaN, whatever the bytes', () => {
    const noise = fc.string({
      unit: fc.constantFrom('x', ':', '|', 'c', 'g', 'm', 's', '@', '1', '.', '-', '\n', 'e'),
    });
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      noise.map((text) => Buffer.from(`x:${text}`)),
    );
    fc.assert(
      fc.property(bytes, (datagram) => {
        for (const sample of decodeStatsd(datagram, () => true).samples) {
          expect(sample.name).not.toBe('');
          expect(Number.isFinite(sample.value)).toBe(true);
          if (sample.kind === 'timer') expect(sample.weight).toBeGreaterThanOrEqual(1);
        }
      }),
      { numRuns: 1000 },
    );
  });
});
