import { describe, expect, it } from 'vitest';
import { addressPattern, formatAddress, plainAddress, readAddress } from '../../../src/policy/address.ts';

describe('readAddress', () => {
  it.each([
    ['127.0.0.1:8080', '127.0.0.1', 8080],
    ['[::1]:0', '::1', 0],
    ['[fe80::1%eth0]:80', 'fe80::1%eth0', 80],
    ['[::1]:80', '::1', 80],
    ['node-1.local:80', 'node-1.local', 80],
    ['localhost:65535', 'localhost', 65_535],
    ['node-1.chat_default:80', 'node-1.chat_default', 80],
  ])('reads %s and writes it back', (text, host, port) => {
    expect(readAddress(text, 0)).toEqual({ value: { host, port } });
    expect(formatAddress({ host, port })).toBe(text);
  });

  it('matches the pattern of the JSON schema', () => {
    for (const text of ['127.0.0.1:8080', '[::1]:0', 'localhost:1'])
      expect(text).toMatch(new RegExp(addressPattern));
  });

  it.each([
    [8080, '8080 is only a port', 'write 127.0.0.1:8080'],
    [':8080', '":8080" names no host', 'write 0.0.0.0:8080 for every address'],
    ['*:8080', '"*:8080" names no host', 'write 0.0.0.0:8080 for every address'],
    ['::1:8080', '"::1:8080" is not host:port', 'IPv6 goes in brackets: "[::1]:8080"'],
    [
      '10.0.0.256:80',
      '"10.0.0.256:80" is not host:port',
      'such as 127.0.0.1:8080, [::1]:8080 or localhost:8080',
    ],
    [
      '[10.0.0.1]:80',
      '"[10.0.0.1]:80" is not host:port',
      'such as 127.0.0.1:8080, [::1]:8080 or localhost:8080',
    ],
    ['localhost', '"localhost" is not host:port', 'such as 127.0.0.1:8080, [::1]:8080 or localhost:8080'],
    ['http://a:80', '"http://a:80" is not host:port', 'such as 127.0.0.1:8080, [::1]:8080 or localhost:8080'],
    ['a:65536', '65536 is not a port', '1 to 65535'],
    ['a:0', '0 is not a port', '1 to 65535'],
    [['::1'], 'a list is not host:port', 'such as 127.0.0.1:8080, [::1]:8080 or localhost:8080'],
  ])('refuses %j', (value, message, hint) => {
    expect(readAddress(value, 1)).toEqual({ message, hint });
  });
});

describe('a plain address', () => {
  it.each([
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::FFFF:10.0.0.1', '10.0.0.1'],
    ['10.0.0.1', '10.0.0.1'],
    ['FD00::1', 'fd00::1'],
    ['::ffff:cafe', '::ffff:cafe'],
    ['', ''],
  ])('of %j is %j', (address, plain) => {
    expect(plainAddress(address)).toBe(plain);
  });
});
