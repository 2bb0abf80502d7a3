import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isoTime } from '../../../src/protocol/iso-time.ts';

it('writes instants as Date does, leap days and ends of centuries included', () => {
  const known = ['1970-01-01T00:00:00.000Z', '2000-02-29T23:59:59.999Z', '2100-03-01T00:00:00.001Z'];
  for (const text of known) expect(isoTime(Date.parse(text))).toBe(text);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (ms) => {
      expect(isoTime(ms)).toBe(new Date(ms).toISOString());
    }),
    { seed: 1, numRuns: 2000 },
  );
});

it('leaves out parts of a millisecond', () => {
  expect(isoTime(1.9)).toBe('1970-01-01T00:00:00.001Z');
});
