import { describe, expect, it } from 'vitest';
import { createHostResolver, type Lookup } from '../../../../src/balancer/proxy/resolve.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

/** A lookup whose answers wait until the test gives them. */
function aLookup() {
  const asked: { host: string; done: Parameters<Lookup>[1] }[] = [];
  const lookup: Lookup = (host, done) => void asked.push({ host, done });
  return { asked, lookup };
}

describe('the resolver of node names', () => {
  it('answers literals at once and without a lookup', () => {
    const { asked, lookup } = aLookup();
    const resolve = createHostResolver(new ManualClock(), lookup);
    const seen: string[] = [];
    for (const host of ['192.0.2.1', '2001:db8::1']) resolve(host, (_error, address) => seen.push(address));
    expect(seen).toEqual(['192.0.2.1', '2001:db8::1']);
    expect(asked).toEqual([]);
  });

  it('looks a name up once for all who wait, remembers it for five seconds, then asks again', () => {
    const { asked, lookup } = aLookup();
    const clock = new ManualClock();
    const resolve = createHostResolver(clock, lookup);
    const seen: string[] = [];
    const ask = (): void => resolve('node', (_error, address) => seen.push(address));
    ask();
    ask();
    expect(asked).toHaveLength(1);
    asked[0]?.done(null, '192.0.2.1');
    clock.advance(4_999);
    ask();
    expect(seen).toEqual(['192.0.2.1', '192.0.2.1', '192.0.2.1']);
    clock.advance(1);
    ask();
    expect(asked).toHaveLength(2);
  });

  it('tells failures to all who wait and does not remember them', () => {
    const { asked, lookup } = aLookup();
    const resolve = createHostResolver(new ManualClock(), lookup);
    const codes: (string | undefined)[] = [];
    for (let i = 0; i < 2; i++) resolve('node', (error) => codes.push(error?.code));
    asked[0]?.done(Object.assign(new Error('no'), { code: 'ENOTFOUND' }), '');
    expect(codes).toEqual(['ENOTFOUND', 'ENOTFOUND']);
    resolve('node', () => {});
    expect(asked).toHaveLength(2);
  });
});
