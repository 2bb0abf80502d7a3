// Addresses and blocks of addresses, IPv4 and IPv6, by arithmetic alone: no resolver, no sockets.
import type { Reading } from './quantity.ts';

/** An address as a number. IPv4 in IPv6 clothes (::ffff:a.b.c.d) is IPv4: sockets that listen on :: show it so. */
export interface IpAddress {
  readonly version: 4 | 6;
  /** 32 or 128 bits. */
  readonly bits: bigint;
}

/** A block of addresses; a single one has the full prefix. */
export interface Cidr {
  /** As it was written. */
  readonly text: string;
  readonly version: 4 | 6;
  /** First address of the block. */
  readonly base: bigint;
  /** Leading bits that an address must share, 0..32 or 0..128. */
  readonly prefix: number;
}

const mappedPrefix = 0xffffn;

/** Reads an IPv4 or IPv6 literal (no brackets; a zone such as %eth0 is ignored); undefined for anything else. */
export function parseIp(text: string): IpAddress | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { version: 4, bits: v4 };
  const v6 = parseV6(text.replace(/%[\w.-]{1,32}$/, ''));
  if (v6 === undefined) return undefined;
  return v6 >> 32n === mappedPrefix ? { version: 4, bits: v6 & 0xffffffffn } : { version: 6, bits: v6 };
}

/** Reads `10.0.0.0/8`, `fd00::/8`, or a single address. Bits beyond the prefix are an error: they are a slip. */
export function parseCidr(text: string): Reading<Cidr> {
  const [, literal = '', length] = /^([0-9A-Fa-f.:]{2,45})(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseIp(literal);
  if (address === undefined) {
    return {
      message: `${JSON.stringify(text.slice(0, 64))} is not a block of addresses`,
      hint: 'such as 10.0.0.0/8 or fd00::/8',
    };
  }
  const width = address.version === 4 ? 32 : 128;
  const written = length === undefined ? undefined : Number(length);
  // ::ffff:10.0.0.0/104 is 10.0.0.0/8: 96 bits of clothes.
  const clothes = address.version === 4 && literal.includes(':') ? 96 : 0;
  const prefix = written === undefined ? width : written - clothes;
  if (prefix < 0 || prefix > width) {
    return { message: `/${length} is not a prefix length here`, hint: `${clothes} to ${width + clothes}` };
  }
  const shift = BigInt(width - prefix);
  const base = (address.bits >> shift) << shift;
  if (base !== address.bits) {
    const start = formatIp({ version: address.version, bits: base });
    return { message: `${text} has bits beyond its prefix`, hint: `write ${start}/${prefix}` };
  }
  return { value: { text, version: address.version, base, prefix } };
}

/** True when the address is in the block. IPv4 blocks take IPv4 only, whatever its clothes; IPv6 blocks IPv6 only. */
export function cidrContains(cidr: Cidr, address: IpAddress): boolean {
  if (cidr.version !== address.version) return false;
  const shift = BigInt((cidr.version === 4 ? 32 : 128) - cidr.prefix);
  return address.bits >> shift === cidr.base >> shift;
}

/** True when `address`, an IP literal, is in one of the blocks; false for no blocks and for what is no literal. */
export function matchesAnyCidr(cidrs: readonly Cidr[], address: string): boolean {
  if (cidrs.length === 0) return false;
  const parsed = parseIp(address);
  return parsed !== undefined && cidrs.some((cidr) => cidrContains(cidr, parsed));
}

/** True for literals of 127.0.0.0/8 and ::1; false for what is no literal. */
export function isLoopback(address: string): boolean {
  const parsed = parseIp(address);
  if (parsed === undefined) return false;
  return parsed.version === 4 ? parsed.bits >> 24n === 127n : parsed.bits === 1n;
}

/** Writes an address; IPv6 in full groups, without `::`. */
export function formatIp(address: IpAddress): string {
  const groups = address.version === 4 ? 4 : 8;
  const width = address.version === 4 ? 8n : 16n;
  const mask = (1n << width) - 1n;
  const parts = Array.from(
    { length: groups },
    (_, index) => (address.bits >> (BigInt(groups - 1 - index) * width)) & mask,
  );
  return address.version === 4 ? parts.join('.') : parts.map((part) => part.toString(16)).join(':');
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let bits = 0n;
  for (const part of parts) {
    // No leading zeros: some readers take 010 for eight, and two readings of one address are a hole.
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    bits = (bits << 8n) | BigInt(part);
  }
  return bits;
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(parseGroups);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  if (halves.length === 1) return head.length === 8 ? join(head) : undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (missing < 1 || (halves[0] ?? '').includes('.')) return undefined;
  return join([...head, ...Array.from({ length: missing }, () => 0n), ...(tail ?? [])]);
}

/** Groups of one side of `::`; a dotted IPv4 at the end counts as two. */
function parseGroups(text: string): bigint[] | undefined {
  if (text === '') return [];
  const groups: bigint[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const v4 = index === parts.length - 1 ? parseV4(part) : undefined;
    if (v4 !== undefined) groups.push(v4 >> 16n, v4 & 0xffffn);
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) groups.push(BigInt(`0x${part}`));
    else return undefined;
  }
  return groups;
}

function join(groups: readonly bigint[]): bigint {
  return groups.reduce((bits, group) => (bits << 16n) | group, 0n);
}
