import { Buffer } from 'node:buffer';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32c } from '../../../src/protocol/crc32c.ts';
import { localProxyHeader, proxyHeader, readProxyHeader } from '../../../src/protocol/proxy-protocol.ts';

const signature = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

function v2(command: number, family: number, body: Buffer, length = body.length): Buffer {
  return Buffer.concat([signature, Buffer.from([command, family, length >> 8, length & 255]), body]);
}

const tcp4 = Buffer.from('c0000201c633640a1f9001bb', 'hex');
const ends = { address: '192.0.2.1', port: 8080, localAddress: '198.51.100.10', localPort: 443 };

function read(text: string) {
  return readProxyHeader(Buffer.from(text, 'latin1'));
}

describe('a PROXY header of version 1', () => {
  it('tells both ends, and how long it is', () => {
    const line = 'PROXY TCP4 192.0.2.1 198.51.100.10 8080 443\r\n';
    expect(read(`${line}GET / HTTP/1.1\r\n`)).toEqual({ kind: 'header', length: line.length, ends });
    expect(read('PROXY TCP6 2001:db8::1 ::1 1 65535\r\n')).toMatchObject({
      ends: { address: '2001:db8::1', port: 1, localAddress: '::1', localPort: 65_535 },
    });
    expect(read('PROXY TCP6 ::ffff:192.0.2.1 ::ffff:1.2.3.4 1 2\r\n')).toMatchObject({
      ends: { address: '192.0.2.1', localAddress: '1.2.3.4' },
    });
  });

  it('tells of nobody when it is UNKNOWN, whatever follows', () => {
    expect(read('PROXY UNKNOWN\r\nx')).toEqual({ kind: 'header', length: 15, ends: undefined });
    expect(read('PROXY UNKNOWN ffff::1 what 1 2\r\n')).toMatchObject({ kind: 'header', ends: undefined });
  });

  it.each([
    'PROXY TCP4 192.0.2.1 198.51.100.10 8080\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.10 8080 443 1\r\n',
    'PROXY TCP4  192.0.2.1 198.51.100.10 8080 443\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.10 8080 65536\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.10 0080 443\r\n',
    'PROXY TCP4 192.0.2.256 198.51.100.10 8080 443\r\n',
    'PROXY TCP4 ::1 ::1 8080 443\r\n',
    'PROXY TCP6 192.0.2.1 198.51.100.10 8080 443\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.10 8080 443\r\n',
    'PROXY UNKNOWNx\r\n',
    'proxy TCP4 192.0.2.1 198.51.100.10 8080 443\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    `PROXY UNKNOWN ${'x'.repeat(100)}\r\n`,
  ])('is wrong as %j', (text) => {
    expect(read(text).kind).toBe('wrong');
  });
});

describe('a PROXY header of version 2', () => {
  it('tells both ends, for IPv4 and IPv6, and passes extensions over', () => {
    expect(readProxyHeader(v2(0x21, 0x11, tcp4))).toEqual({ kind: 'header', length: 28, ends });
    const tlv = Buffer.from('02000568657261640400020000', 'hex');
    expect(readProxyHeader(v2(0x21, 0x11, Buffer.concat([tcp4, tlv])))).toMatchObject({ ends });
    const six = Buffer.from('20010db8000000000000000000000001' + '0'.repeat(31) + '11f9001bb', 'hex');
    expect(readProxyHeader(v2(0x21, 0x21, six))).toMatchObject({
      ends: { address: '2001:db8::1', port: 8080, localAddress: '::1', localPort: 443 },
    });
  });

  it('tells of nobody when it is LOCAL, of no family, of a UNIX socket or of datagrams', () => {
    const nobody = { kind: 'header', ends: undefined };
    expect(readProxyHeader(v2(0x20, 0x00, Buffer.alloc(0)))).toMatchObject(nobody);
    expect(readProxyHeader(v2(0x20, 0x11, tcp4))).toMatchObject(nobody);
    expect(readProxyHeader(v2(0x21, 0x00, Buffer.alloc(0)))).toMatchObject(nobody);
    expect(readProxyHeader(v2(0x21, 0x31, Buffer.alloc(216)))).toMatchObject(nobody);
    expect(readProxyHeader(v2(0x21, 0x12, tcp4))).toMatchObject(nobody);
  });

  it('checks a checksum that it carries', () => {
    const header = v2(0x21, 0x11, Buffer.concat([tcp4, Buffer.from('03000400000000', 'hex')]));
    const sum = crc32c(header);
    header.writeUInt32BE(sum, header.length - 4);
    expect(readProxyHeader(header)).toMatchObject({ kind: 'header', ends });
    header.writeUInt32BE(sum ^ 1, header.length - 4);
    expect(readProxyHeader(header)).toEqual({ kind: 'wrong', why: 'version 2: the checksum is wrong' });
  });

  it.each([
    ['version 1 in binary', v2(0x11, 0x11, tcp4)],
    ['a command that there is not', v2(0x22, 0x11, tcp4)],
    ['a family that there is not', v2(0x21, 0x41, tcp4)],
    ['a transport that there is not', v2(0x21, 0x13, tcp4)],
    ['too short for IPv4', v2(0x21, 0x11, tcp4.subarray(1))],
    ['too short for IPv6', v2(0x21, 0x21, tcp4)],
    ['an extension that is cut off', v2(0x21, 0x11, Buffer.concat([tcp4, Buffer.from([4, 0])]))],
    ['an extension beyond the end', v2(0x21, 0x11, Buffer.concat([tcp4, Buffer.from([4, 0, 9, 1])]))],
    ['a checksum of two bytes', v2(0x21, 0x11, Buffer.concat([tcp4, Buffer.from([3, 0, 2, 1, 1])]))],
    ['longer than anybody sends', v2(0x21, 0x11, Buffer.alloc(0), 5000)],
  ])('is wrong with %s', (_what, header) => {
    expect(readProxyHeader(header).kind).toBe('wrong');
  });
});

describe('a PROXY header', () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6());
  const port = fc.integer({ min: 0, max: 65_535 });

  it('is read as it was written, whatever cuts it, and what follows is left alone', () => {
    fc.assert(
      fc.property(fc.constantFrom('v1', 'v2'), address, address, port, port, (version, from, to, a, b) => {
        const sent = { address: from, port: a, localAddress: to, localPort: b };
        const header = proxyHeader(version, sent);
        for (let cut = 0; cut < header.length; cut++)
          expect(readProxyHeader(header.subarray(0, cut)).kind).toBe('more');
        const found = readProxyHeader(Buffer.concat([header, Buffer.from('rest')]));
        expect(found).toMatchObject({ kind: 'header', length: header.length });
        if (found.kind !== 'header' || found.ends === undefined) return;
        // The same once it is in the one form that is written.
        expect(proxyHeader(version, found.ends).equals(header)).toBe(true);
        expect([found.ends.port, found.ends.localPort]).toEqual([a, b]);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('never throws, whatever comes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 60 }).map((tail) => Buffer.concat([signature, tail])),
      fc.string().map((tail) => Buffer.from(`PROXY ${tail}`)),
    );
    fc.assert(
      fc.property(bytes, (raw) => {
        expect(['header', 'more', 'wrong']).toContain(readProxyHeader(Buffer.from(raw)).kind);
      }),
      { seed: 2, numRuns: 1000 },
    );
  });

  it('tells of nobody where the ends are unknown or of two families', () => {
    const mixed = { ...ends, localAddress: '2001:db8::1' };
    for (const unknown of [undefined, mixed, { ...ends, address: '' }]) {
      expect(proxyHeader('v1', unknown).toString()).toBe('PROXY UNKNOWN\r\n');
      expect(proxyHeader('v2', unknown).toString('hex')).toBe(`${signature.toString('hex')}21000000`);
    }
  });

  it('is LOCAL for a check', () => {
    expect(localProxyHeader('v2').toString('hex')).toBe(`${signature.toString('hex')}20000000`);
    expect(readProxyHeader(localProxyHeader('v1'))).toMatchObject({ kind: 'header', ends: undefined });
  });

  it('writes IPv6 with its longest run of zeros left out', () => {
    const shown = (text: string) =>
      proxyHeader('v1', { ...ends, address: text, localAddress: '::' })
        .toString()
        .split(' ')[2];
    expect(shown('2001:db8:0:0:1:0:0:1')).toBe('2001:db8::1:0:0:1');
    expect(shown('1:0:0:2:0:0:0:3')).toBe('1:0:0:2::3');
    expect(shown('fe80:0:0:0:0:0:0:0')).toBe('fe80::');
    expect(shown('0:0:0:0:0:0:0:0')).toBe('::');
    expect(shown('1:0:2:3:4:5:6:7')).toBe('1:0:2:3:4:5:6:7');
  });
});

describe('the checksum', () => {
  it('is the Castagnoli one', () => {
    expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
    expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
    expect(crc32c(Buffer.alloc(0))).toBe(0);
  });
});
