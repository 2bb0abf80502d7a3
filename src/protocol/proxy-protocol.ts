// The PROXY protocol, versions 1 and 2, as text and bytes (haproxy.org, proxy-protocol.txt): who a proxy in front says
// that the client is. Who is believed is not decided here.
import { Buffer } from 'node:buffer';
import { formatIp, parseIp, type IpAddress } from '../policy/cidr.ts';
import { crc32c } from './crc32c.ts';

/** Both ends of the connection that the sender of a header speaks of. Addresses without brackets. */
export interface ProxiedEnds {
  readonly address: string;
  readonly port: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/** What the first bytes of a connection are. */
export type ProxyReading =
  /** A header of `length` bytes; `ends` is undefined where it speaks of nobody (LOCAL, UNKNOWN, UNIX sockets). */
  | { readonly kind: 'header'; readonly length: number; readonly ends: ProxiedEnds | undefined }
  /** They may become one. */
  | { readonly kind: 'more' }
  | { readonly kind: 'wrong'; readonly why: string };

/** More is no header that anybody sends: addresses take 52 bytes, what is known of extensions a few hundred. */
export const maxProxyHeaderBytes = 4096;

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const fixedBytes = 16;
const maxV1Bytes = 107;
const crcType = 0x03;
const families = { tcp4: 0x11, tcp6: 0x21 } as const;
const addressBytes: Readonly<Record<number, number>> = { 0: 0, 1: 12, 2: 36, 3: 216 };

/** Looks at everything that has come so far; never throws. */
export function readProxyHeader(bytes: Buffer): ProxyReading {
  const begins = (with_: Buffer) => {
    const length = Math.min(bytes.length, with_.length);
    return bytes.compare(with_, 0, length, 0, length) === 0;
  };
  if (begins(signature)) return bytes.length < fixedBytes ? { kind: 'more' } : readV2(bytes);
  if (begins(v1Start)) return readV1(bytes);
  return wrong('it does not begin with one');
}

const v1Start = Buffer.from('PROXY ', 'latin1');

function wrong(why: string): ProxyReading {
  return { kind: 'wrong', why };
}

function readV1(bytes: Buffer): ProxyReading {
  const text = bytes.toString('latin1', 0, maxV1Bytes);
  const end = text.indexOf('\r\n');
  if (end === -1)
    return bytes.length < maxV1Bytes ? { kind: 'more' } : wrong('version 1: the line has no end');
  const length = end + 2;
  const line = text.slice(v1Start.length, end);
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return { kind: 'header', length, ends: undefined };
  const [family, source = '', target = '', ...ports] = line.split(' ');
  const version = family === 'TCP4' ? 4 : family === 'TCP6' ? 6 : undefined;
  if (version === undefined) return wrong('version 1: neither TCP4, TCP6 nor UNKNOWN');
  const [port, localPort] = ports.map(readPort);
  const isV6 = (text: string) => text.includes(':') === (version === 6);
  const [from, to] = [parseIp(source), parseIp(target)];
  if (from === undefined || to === undefined || !isV6(source) || !isV6(target))
    return wrong('version 1: an address is not of its family');
  if (port === undefined || localPort === undefined || ports.length !== 2)
    return wrong('version 1: there are not two ports');
  return {
    kind: 'header',
    length,
    ends: { address: showIp(from), port, localAddress: showIp(to), localPort },
  };
}

function readPort(text: string): number | undefined {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;
}

function readV2(bytes: Buffer): ProxyReading {
  const [command = 0, family = 0] = [bytes[12], bytes[13]];
  const length = fixedBytes + bytes.readUInt16BE(14);
  if (command >> 4 !== 2) return wrong(`version ${command >> 4} is not known`);
  if ((command & 15) > 1) return wrong('version 2: neither LOCAL nor PROXY');
  if (length > maxProxyHeaderBytes) return wrong(`more than ${maxProxyHeaderBytes} bytes`);
  const addresses = addressBytes[family >> 4];
  if (addresses === undefined || (family & 15) > 2) return wrong('version 2: the family is not known');
  const isLocal = (command & 15) === 0;
  if (!isLocal && length < fixedBytes + addresses) return wrong('version 2: too short for its addresses');
  if (bytes.length < length) return { kind: 'more' };
  const header = bytes.subarray(0, length);
  const problem = isLocal ? undefined : extensionProblem(header, fixedBytes + addresses);
  if (problem !== undefined) return wrong(problem);
  return { kind: 'header', length, ends: isLocal ? undefined : v2Ends(header, family) };
}

function v2Ends(header: Buffer, family: number): ProxiedEnds | undefined {
  const size = family === families.tcp4 ? 4 : family === families.tcp6 ? 16 : undefined;
  if (size === undefined) return undefined;
  const ipAt = (at: number) => {
    const bits = BigInt(`0x${header.toString('hex', at, at + size)}`);
    if (size === 4) return formatIp({ version: 4, bits });
    const ip = parseIp(formatIp({ version: 6, bits }));
    return ip === undefined ? '' : showIp(ip);
  };
  const ports = fixedBytes + 2 * size;
  return {
    address: ipAt(fixedBytes),
    port: header.readUInt16BE(ports),
    localAddress: ipAt(fixedBytes + size),
    localPort: header.readUInt16BE(ports + 2),
  };
}

/** Extensions are passed over, but must be whole; a checksum among them must be right. */
function extensionProblem(header: Buffer, start: number): string | undefined {
  let at = start;
  while (at < header.length) {
    if (at + 3 > header.length) return 'version 2: an extension is cut off';
    const size = header.readUInt16BE(at + 1);
    if (at + 3 + size > header.length) return 'version 2: an extension is longer than the header';
    if (header[at] === crcType) {
      if (size !== 4) return 'version 2: the checksum has not four bytes';
      const copy = Buffer.from(header);
      copy.fill(0, at + 3, at + 7);
      if (crc32c(copy) !== header.readUInt32BE(at + 3)) return 'version 2: the checksum is wrong';
    }
    at += 3 + size;
  }
  return undefined;
}

/** The header that tells of `ends`; of nobody where they are unknown, or of two families. */
export function proxyHeader(version: 'v1' | 'v2', ends: ProxiedEnds | undefined): Buffer {
  const from = parseIp(ends?.address ?? '');
  const to = parseIp(ends?.localAddress ?? '');
  if (ends === undefined || from === undefined || to === undefined || from.version !== to.version)
    return version === 'v1' ? Buffer.from('PROXY UNKNOWN\r\n', 'latin1') : v2Header(0x21, 0, Buffer.alloc(0));
  const { port, localPort } = ends;
  if (version === 'v1') {
    const line = `PROXY TCP${from.version} ${showIp(from)} ${showIp(to)} ${port} ${localPort}\r\n`;
    return Buffer.from(line, 'latin1');
  }
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(port, 0);
  ports.writeUInt16BE(localPort, 2);
  const family = from.version === 4 ? families.tcp4 : families.tcp6;
  return v2Header(0x21, family, Buffer.concat([ipBytes(from), ipBytes(to), ports]));
}

/** The header of a connection that is the sender's own, such as a health check. */
export function localProxyHeader(version: 'v1' | 'v2'): Buffer {
  return version === 'v1' ? proxyHeader('v1', undefined) : v2Header(0x20, 0, Buffer.alloc(0));
}

function v2Header(command: number, family: number, addresses: Buffer): Buffer {
  const fixed = Buffer.from([...signature, command, family, 0, addresses.length]);
  return Buffer.concat([fixed, addresses]);
}

function ipBytes({ version, bits }: IpAddress): Buffer {
  return Buffer.from(bits.toString(16).padStart(version === 4 ? 8 : 32, '0'), 'hex');
}

/** As people and RFC 5952 write it: the longest run of zeros of IPv6 as `::`. */
function showIp(ip: IpAddress): string {
  const full = formatIp(ip);
  if (ip.version === 4) return full;
  const runs = [...`:${full}:`.matchAll(/:(?:0:){2,}/g)].map(([run]) => run);
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return full;
  const [head = '', tail = ''] = splitOnce(`:${full}:`, longest);
  return `${head.slice(1)}::${tail.slice(0, -1)}`;
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at);
  return [text.slice(0, index), text.slice(index + at.length)];
}
