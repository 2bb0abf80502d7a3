// Who the client is, told to the node: X-Forwarded-* and Forwarded (RFC 7239). Claims of strangers are replaced.
import { plainAddress } from '../../policy/address.ts';
import { joinedValue, type HeadFields } from '../../protocol/http-head.ts';

/** What Herald itself knows about the client. */
export interface ClientFacts {
  /** Address of the other side of the connection, '' when unknown. */
  readonly address: string;
  /** Host as the request names it, checked. */
  readonly host: string;
  /** Whether the claims that the request carries are believed. */
  readonly isTrusted: boolean;
  /** It came over TLS; absent: it did not. */
  readonly isEncrypted?: boolean;
}

/**
 * Whether `name` (lower case) claims something about the client. Underscores count as hyphens: CGI and WSGI
 * servers cannot tell the two apart, so `X_Forwarded_For` would pass as ours.
 */
export function isForwardingField(name: string): boolean {
  const plain = name.includes('_') ? name.replaceAll('_', '-') : name;
  return plain.startsWith('x-forwarded-') || plain === 'forwarded' || plain === 'x-real-ip';
}

/** The fields to add in place of all that `isForwardingField` tells, as name and value in turn. */
export function forwardedFields(fields: HeadFields, client: ClientFacts): string[] {
  // An IPv4 client of a dual-stack listener shows as ::ffff:192.0.2.1; nodes compare the plain form.
  const address = client.address === '' ? 'unknown' : plainAddress(client.address);
  const proto = client.isEncrypted === true ? 'https' : 'http';
  const element = forwardedElement(address, client.host, proto);
  if (!client.isTrusted)
    return [
      'X-Forwarded-For',
      address,
      'X-Forwarded-Proto',
      proto,
      'X-Forwarded-Host',
      client.host,
      'Forwarded',
      element,
    ];
  const claim = (name: string) => joinedValue(fields, name);
  return [
    'X-Forwarded-For',
    // Over a UNIX socket there is nobody to add: the claim says it all.
    client.address === '' ? claim('x-forwarded-for') || address : append(claim('x-forwarded-for'), address),
    'X-Forwarded-Proto',
    claim('x-forwarded-proto') || proto,
    'X-Forwarded-Host',
    claim('x-forwarded-host') || client.host,
    'Forwarded',
    append(claim('forwarded'), element),
    ...otherClaims(fields),
  ];
}

// A trusted proxy may say more than we can: its port, its prefix. They pass as they came.
function otherClaims(fields: HeadFields): string[] {
  const replaced = new Set(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded']);
  const others: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] ?? '').toLowerCase();
    if (!name.includes('_') && isForwardingField(name) && !replaced.has(name))
      others.push(fields[i] ?? '', fields[i + 1] ?? '');
  }
  return others;
}

function append(list: string, member: string): string {
  return list === '' ? member : `${list}, ${member}`;
}

function forwardedElement(address: string, host: string, proto: string): string {
  const node = address.includes(':') ? `"[${address}]"` : address;
  // The host has passed the request check: letters, digits and `.-_:[]`, so quoting it is enough.
  return `for=${node};host="${host}";proto=${proto}`;
}
