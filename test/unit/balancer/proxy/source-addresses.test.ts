import { describe, expect, it } from 'vitest';
import { createSourceAddresses, isSourceExhausted } from '../../../../src/balancer/proxy/source-addresses.ts';

describe('source addresses', () => {
  it('leave the choice to the kernel when there are none of the family', () => {
    expect(createSourceAddresses([]).forDial('10.0.0.1')).toEqual([undefined]);
    expect(createSourceAddresses(['10.0.0.2']).forDial('fd00::1')).toEqual([undefined]);
  });

  it('take turns, and each dial has all of them', () => {
    const sources = createSourceAddresses(['10.0.0.2', 'fd00::2', '10.0.0.3']);
    expect(sources.forDial('10.0.0.1')).toEqual(['10.0.0.2', '10.0.0.3']);
    expect(sources.forDial('10.0.0.1')).toEqual(['10.0.0.3', '10.0.0.2']);
    expect(sources.forDial('10.0.0.1')).toEqual(['10.0.0.2', '10.0.0.3']);
    expect(sources.forDial('fd00::1')).toEqual(['fd00::2']);
  });

  it('have run out where the system says so, and nowhere else', () => {
    const failure = (code: string) => Object.assign(new Error(code), { code });
    expect(['EADDRNOTAVAIL', 'EADDRINUSE'].every((code) => isSourceExhausted(failure(code)))).toBe(true);
    expect(['ECONNREFUSED', 'EMFILE'].some((code) => isSourceExhausted(failure(code)))).toBe(false);
    expect(isSourceExhausted(undefined)).toBe(false);
  });
});
