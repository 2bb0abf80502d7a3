// Addresses with a port, as configuration writes them, and the one form in which addresses are compared.
import { parseIp } from './cidr.ts';
import { showValue, type Reading } from './quantity.ts';

/** A host and a port. */
export interface Address {
  /** Host name or IP literal, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Source of the pattern that the JSON schema shows; parsing is stricter. */
export const addressPattern = String.raw`^(\[[0-9A-Fa-f:.]+\]|[\w.-]+):\d{1,5}$`;

const forms = 'such as 127.0.0.1:8080, [::1]:8080 or localhost:8080';

/** Reads `host:port`; IPv6 in brackets. Port 0, which lets the kernel choose, only where `minPort` is 0. */
export function readAddress(value: unknown, minPort: 0 | 1): Reading<Address> {
  if (typeof value === 'number')
    return { message: `${value} is only a port`, hint: `write 127.0.0.1:${value}` };
  if (typeof value !== 'string') return { message: `${showValue(value)} is not host:port`, hint: forms };
  if (/^\*?:\d{1,5}$/.test(value)) {
    return {
      message: `${showValue(value)} names no host`,
      hint: `write 0.0.0.0${value.replace('*', '')} for every address`,
    };
  }
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(value);
  const host = match?.[1] ?? match?.[2] ?? '';
  if (match === null || !isHost(host, match[1] !== undefined)) {
    const bare = parseIp(value)?.version === 6 || /^[0-9a-f:]*::[0-9a-f:]*:\d+$/i.test(value);
    return {
      message: `${showValue(value)} is not host:port`,
      hint: bare ? 'IPv6 goes in brackets: "[::1]:8080"' : forms,
    };
  }
  const port = Number(match[3]);
  if (port < minPort || port > 65_535)
    return { message: `${port} is not a port`, hint: `${minPort} to 65535` };
  return { value: { host, port } };
}

/** `host:port` with IPv6 in brackets. */
export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An address in one form: `::ffff:10.0.0.1` is 10.0.0.1, and letters are lower case. Host names pass. */
export function plainAddress(address: string): string {
  const lower = address.toLowerCase();
  if (!lower.startsWith('::ffff:')) return lower;
  const mapped = lower.slice('::ffff:'.length);
  return !mapped.includes(':') && parseIp(mapped)?.version === 4 ? mapped : lower;
}

function isHost(host: string, isBracketed: boolean): boolean {
  if (isBracketed) return host.includes(':') && parseIp(host) !== undefined;
  // All digits and dots but no address: 10.0.0.256 is a slip, not a host name.
  if (/^[\d.]+$/.test(host)) return parseIp(host) !== undefined;
  return (
    host.length <= 253 &&
    /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$/.test(
      host,
    )
  );
}
