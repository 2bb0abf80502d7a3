import * as fc from 'fast-check';
import { BlockList, isIP } from 'node:net';
import { describe, expect, it } from 'vitest';
import {
  cidrContains,
  formatIp,
  isLoopback,
  matchesAnyCidr,
  parseCidr,
  parseIp,
  type Cidr,
} from '../../../src/policy/cidr.ts';

function cidrOf(text: string): Cidr {
  const reading = parseCidr(text);
  if (!('value' in reading)) throw new Error(`${text}: ${reading.message}`);
  return reading.value;
}

describe('parseIp', () => {
  it('agrees with Node on what an address is', () => {
    const part = fc.constantFrom(
      '::',
      ':',
      '.',
      '1',
      '255',
      '256',
      '01',
      'ffff',
      'fffff',
      '0',
      'g',
      '1.2.3.4',
    );
    const soup = fc.array(part, { maxLength: 12 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.oneof(soup, fc.ipV4(), fc.ipV6()), (text) => {
        expect(parseIp(text) !== undefined, text).toBe(isIP(text) !== 0);
      }),
      { numRuns: 2000 },
    );
  });

  it('takes an IPv4 address in IPv6 clothes for IPv4', () => {
    expect(parseIp('::ffff:10.1.2.3')).toEqual(parseIp('10.1.2.3'));
    expect(parseIp('0:0:0:0:0:ffff:a01:203')).toEqual(parseIp('10.1.2.3'));
  });

  it('ignores a zone', () => {
    expect(parseIp('fe80::1%eth0')).toEqual(parseIp('fe80::1'));
  });
});

describe('cidrContains', () => {
  it('agrees with BlockList for IPv4', () => {
    const bits = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(
        bits,
        fc.integer({ min: 0, max: 32 }),
        bits,
        fc.integer({ min: 0, max: 32 }),
        (seed, prefix, noise, keep) => {
          const shift = BigInt(32 - prefix);
          const base = (BigInt(seed) >> shift) << shift;
          // Shares its first `keep` bits with the block, so that both answers come up.
          const address = BigInt.asUintN(32, BigInt(seed) ^ (BigInt(noise) >> BigInt(keep)));
          const blocks = new BlockList();
          blocks.addSubnet(formatIp({ version: 4, bits: base }), prefix, 'ipv4');
          const cidr = cidrOf(`${formatIp({ version: 4, bits: base })}/${prefix}`);
          const text = formatIp({ version: 4, bits: address });
          expect(cidrContains(cidr, { version: 4, bits: address })).toBe(blocks.check(text, 'ipv4'));
          expect(matchesAnyCidr([cidr], `::ffff:${text}`)).toBe(blocks.check(text, 'ipv4'));
        },
      ),
    );
  });

  it('holds exactly the addresses that share the prefix, for IPv6', () => {
    const bits = fc.bigInt({ min: 1n << 120n, max: (1n << 128n) - 1n });
    fc.assert(
      fc.property(
        bits,
        fc.integer({ min: 0, max: 128 }),
        fc.integer({ min: 0, max: 127 }),
        (address, prefix, flipped) => {
          const shift = BigInt(128 - prefix);
          const cidr = cidrOf(`${formatIp({ version: 6, bits: (address >> shift) << shift })}/${prefix}`);
          expect(cidrContains(cidr, { version: 6, bits: address })).toBe(true);
          const other = address ^ (1n << BigInt(127 - flipped));
          expect(cidrContains(cidr, { version: 6, bits: other })).toBe(flipped >= prefix);
        },
      ),
    );
  });

  it('keeps the families apart', () => {
    expect(matchesAnyCidr([cidrOf('::/0')], '10.0.0.1')).toBe(false);
    expect(matchesAnyCidr([cidrOf('0.0.0.0/0')], 'fd00::1')).toBe(false);
    expect(matchesAnyCidr([cidrOf('::ffff:10.0.0.0/104')], '10.9.9.9')).toBe(true);
  });

  it('is false for no blocks and for what is no address', () => {
    expect(matchesAnyCidr([], '10.0.0.1')).toBe(false);
    expect(matchesAnyCidr([cidrOf('0.0.0.0/0')], 'localhost')).toBe(false);
    expect(matchesAnyCidr([cidrOf('0.0.0.0/0')], '')).toBe(false);
  });
});

describe('parseCidr', () => {
  it('takes a single address for a block of one', () => {
    const cidr = cidrOf('10.0.0.1');
    expect(matchesAnyCidr([cidr], '10.0.0.1')).toBe(true);
    expect(matchesAnyCidr([cidr], '10.0.0.2')).toBe(false);
  });

  it.each([
    ['10.0.0.1/8', '10.0.0.1/8 has bits beyond its prefix', 'write 10.0.0.0/8'],
    ['10.0.0.0/33', '/33 is not a prefix length here', '0 to 32'],
    ['fd00::/129', '/129 is not a prefix length here', '0 to 128'],
    ['::ffff:10.0.0.0/8', '/8 is not a prefix length here', '96 to 128'],
    ['10.0.0.0/', '"10.0.0.0/" is not a block of addresses', 'such as 10.0.0.0/8 or fd00::/8'],
    ['all', '"all" is not a block of addresses', 'such as 10.0.0.0/8 or fd00::/8'],
  ])('refuses %s', (text, message, hint) => {
    expect(parseCidr(text)).toEqual({ message, hint });
  });
});

describe('isLoopback', () => {
  it.each([
    ['127.0.0.1', true],
    ['127.255.0.9', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['127.9.9.9', true],
    ['128.0.0.1', false],
    ['10.0.0.1', false],
    ['127.evil.example', false],
    ['::2', false],
    ['', false],
  ])('of %j is %s', (text, expected) => {
    expect(isLoopback(text)).toBe(expected);
  });
});
