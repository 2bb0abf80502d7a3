// Who the client of a request is: the other side of the connection, or whom a trusted one speaks for.
import { plainAddress } from '../../policy/address.ts';
import { parseIp } from '../../policy/cidr.ts';
import { joinedValue, type HeadFields } from '../../protocol/http-head.ts';
import type { ProxyDeps } from './ports.ts';

/** What Herald knows about the client of one request. */
export interface Client {
  /** Address of the other side of the connection, IPv4 in its plain form; '' when unknown. */
  readonly peerAddress: string;
  /** Whether the claims that the request carries are believed. */
  readonly isTrusted: boolean;
  /** How the connection came to us. */
  readonly peerScheme: 'http' | 'https';
  /** How the client came, as far as is known or believed. */
  readonly scheme: 'http' | 'https';
  /** The client's own address: by the claims, where they are believed; '' when unknown. */
  readonly address: string;
}

type ClientDeps = Pick<ProxyDeps, 'trusted'>;

/** The other side of a connection. */
export interface Origin {
  /** '' when unknown. */
  readonly address: string;
  /** It came over TLS; absent: it did not. */
  readonly isEncrypted?: boolean;
}

/** The client of a request with `fields` that came over a connection from `origin`. */
export function clientOf(deps: ClientDeps, origin: Origin, fields: HeadFields): Client {
  const peerAddress = origin.address === '' ? '' : plainAddress(origin.address);
  const isTrusted = deps.trusted(origin.address);
  const peerScheme = origin.isEncrypted === true ? 'https' : 'http';
  const scheme = (isTrusted ? claimedScheme(fields) : undefined) ?? peerScheme;
  const address = (isTrusted ? claimedAddress(fields, deps) : undefined) ?? peerAddress;
  return { peerAddress, isTrusted, peerScheme, scheme, address };
}

// The first of several is the one nearest to the client. Some proxies say ws for what came by http.
function claimedScheme(fields: HeadFields): Client['scheme'] | undefined {
  const [first = ''] = joinedValue(fields, 'x-forwarded-proto').toLowerCase().split(',', 1);
  const claim = first.trim();
  if (claim === 'https' || claim === 'wss') return 'https';
  return claim === 'http' || claim === 'ws' ? 'http' : undefined;
}

/**
 * The last address in X-Forwarded-For that no trusted peer has: what stands before it anybody could have written. The
 * first one when all of them are trusted; undefined without one that can be read.
 */
function claimedAddress(fields: HeadFields, { trusted }: ClientDeps): string | undefined {
  const list = joinedValue(fields, 'x-forwarded-for');
  if (list === '') return undefined;
  let nearest: string | undefined;
  for (const member of list.split(',').toReversed()) {
    const address = addressIn(member.trim());
    if (address === undefined) return nearest;
    nearest = address;
    if (!trusted(address)) return nearest;
  }
  return nearest;
}

// Some proxies add the port: 192.0.2.1:5000 and [2001:db8::1]:5000.
function addressIn(member: string): string | undefined {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(member)?.[1] ?? member.replace(/^([\d.]+):\d+$/, '$1');
  return parseIp(bare) === undefined ? undefined : plainAddress(bare);
}
