import { describe, expect, it } from 'vitest';
import {
  goodbyeReason,
  maxReasonWordBytes,
  reasonWordsProblem,
} from '../../../src/protocol/goodbye-reason.ts';

describe('goodbyeReason', () => {
  it('puts the hint behind the words, in whole milliseconds', () => {
    expect(goodbyeReason('reconnect', 1500.4)).toBe('reconnect retry-ms=1500');
  });

  it('is the hint alone without words', () => {
    expect(goodbyeReason('', 0)).toBe('retry-ms=0');
  });

  it.each([
    ['x'.repeat(200), 123],
    ['ü'.repeat(100), 122],
    ['x'.repeat(maxReasonWordBytes), maxReasonWordBytes + ' retry-ms=86400000'.length],
  ])('cuts words, never the hint', (words, bytes) => {
    const reason = goodbyeReason(words, 86_400_000);
    expect(reason).toMatch(/^[xü]+ retry-ms=86400000$/);
    expect(Buffer.byteLength(reason)).toBe(bytes);
  });
});

describe('reasonWordsProblem', () => {
  it.each([
    ['', ''],
    ['x'.repeat(100), ''],
    ['ü'.repeat(51), 'is too long'],
    ['two\nlines', 'has a control character'],
  ])('of %j is %j', (words, problem) => {
    expect(reasonWordsProblem(words)).toBe(problem);
  });
});
