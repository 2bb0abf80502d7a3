import { describe, expect, it } from 'vitest';
import { decodeWish, encodeWish, rankOfWish } from '../../../src/protocol/peer-wishes.ts';

describe('wishes in registers', () => {
  it('are read back as they were written, with less time left', () => {
    const wish = { rank: 1, by: 'ops', why: 'disk', deadlineMs: 60_000, ratePerSecond: 5, isSelf: true };
    expect(decodeWish(encodeWish(wish, 20_000))).toEqual({ ...wish, deadlineMs: 40_000 });
  });

  it('whose time is over still have a moment', () => {
    expect(decodeWish(encodeWish({ rank: 1, by: '', why: '', deadlineMs: 5 }, 1000))?.deadlineMs).toBe(1);
  });

  it('sort by rank as text: of two at one version the more restrictive is the greater', () => {
    const texts = [2, 0, 1].map((rank) => encodeWish({ rank, by: 'zoe', why: '' }, 0)).toSorted();
    expect(texts.map(rankOfWish)).toEqual([0, 1, 2]);
  });

  it('that were deleted are of rank 0', () => {
    expect([decodeWish(''), rankOfWish('')]).toEqual([{ rank: 0, by: '', why: '' }, 0]);
  });

  it.each(['drain', '1', '1{', '1[]', '3{"by":"","why":""}', '1{"by":1,"why":""}', '1{"by":"a"}', 'x{}'])(
    '%s is none',
    (text) => {
      expect(decodeWish(text)).toBeUndefined();
    },
  );

  it('with a deadline or rate that is none are wishes without', () => {
    const text = '1{"by":"a","why":"","deadlineMs":-1,"ratePerSecond":"x"}';
    expect(decodeWish(text)).toEqual({ rank: 1, by: 'a', why: '' });
  });
});
