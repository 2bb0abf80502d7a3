import { describe, expect, it } from 'vitest';
import { cookieValue } from '../../../src/protocol/cookie.ts';

describe('cookieValue', () => {
  it('finds a cookie among others, and in a second field', () => {
    expect(cookieValue(['Cookie', 'a=1; herald=x=y; b=2'], 'herald')).toBe('x=y');
    expect(cookieValue(['Cookie', 'a=1', 'cookie', 'herald=z'], 'herald')).toBe('z');
  });

  it('is empty without the cookie, for another with a longer name, and without Cookie at all', () => {
    expect(cookieValue(['Cookie', 'xherald=1; herald; heraldx=2'], 'herald')).toBe('');
    expect(cookieValue(['Host', 'herald=1'], 'herald')).toBe('');
  });
});
