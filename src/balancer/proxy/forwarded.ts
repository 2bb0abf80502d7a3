// Who the client is, told to the node: X-Forwarded-* and Forwarded (RFC 7239). Claims of strangers are replaced.
import { joinedValue, type HeadFields } from '../../protocol/http-head.ts';
import type { Client } from './client.ts';
import type { RequestHead } from './request-head.ts';

/**
 * Whether `name` (lower case) claims something about the client. Underscores count as hyphens: CGI and WSGI
 * servers cannot tell the two apart, so `X_Forwarded_For` would pass as ours.
 */
export function isForwardingField(name: string): boolean {
  const plain = name.includes('_') ? name.replaceAll('_', '-') : name;
  return plain.startsWith('x-forwarded-') || plain === 'forwarded' || plain === 'x-real-ip';
}

/** The fields to add in place of all that `isForwardingField` tells, as name and value in turn. */
export function forwardedFields(head: RequestHead, client: Client): string[] {
  const { fields, host } = head;
  const address = client.peerAddress === '' ? 'unknown' : client.peerAddress;
  const { scheme } = client;
  // The host has passed the request check: letters, digits and `.-_:[]`, so quoting it is enough.
  const element = `${forwardedFor(address)};host="${host}";proto=${client.peerScheme}`;
  const port = portOf(host, scheme);
  if (!client.isTrusted) return account({ address, scheme, host, port, element });
  const claim = (name: string) => joinedValue(fields, name);
  return [
    ...account({
      // Over a UNIX socket there is nobody to add: the claim says it all.
      address:
        client.peerAddress === ''
          ? claim('x-forwarded-for') || address
          : append(claim('x-forwarded-for'), address),
      scheme: claim('x-forwarded-proto') || scheme,
      host: claim('x-forwarded-host') || host,
      port: claim('x-forwarded-port') || port,
      element: append(claim('forwarded') || claimedElement(client), element),
    }),
    ...otherClaims(fields),
  ];
}

function account(of: Readonly<Record<'address' | 'scheme' | 'host' | 'port' | 'element', string>>): string[] {
  return [
    'X-Forwarded-For',
    of.address,
    'X-Forwarded-Proto',
    of.scheme,
    'X-Forwarded-Host',
    of.host,
    'X-Forwarded-Port',
    of.port,
    'Forwarded',
    of.element,
  ];
}

// The port that the client has asked, not ours: behind a translation of addresses ours would lead nowhere.
function portOf(host: string, scheme: Client['scheme']): string {
  return /:(\d+)$/.exec(host)?.[1] ?? (scheme === 'https' ? '443' : '80');
}

const accounted = new Set([
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'forwarded',
]);

// A trusted proxy may say more than we can: a prefix, a country. They pass as they came.
function otherClaims(fields: HeadFields): string[] {
  const others: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = (fields[i] ?? '').toLowerCase();
    if (!name.includes('_') && isForwardingField(name) && !accounted.has(name))
      others.push(fields[i] ?? '', fields[i + 1] ?? '');
  }
  return others;
}

function append(list: string, member: string): string {
  return list === '' ? member : `${list}, ${member}`;
}

// A trusted peer that speaks X-Forwarded-* alone: nodes that read Forwarded must not take the peer for the client.
function claimedElement({ address, peerAddress, scheme }: Client): string {
  return address === peerAddress ? '' : `${forwardedFor(address)};proto=${scheme}`;
}

// RFC 7239, section 6: IPv6 stands in brackets, and with its colons in quotes.
function forwardedFor(address: string): string {
  return address.includes(':') ? `for="[${address}]"` : `for=${address}`;
}
