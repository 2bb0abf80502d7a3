// Which header fields end at this hop. Everything else passes as it came, in its order and its letters.
import { joinedValue, listHas, valuesOf, type HeadFields } from '../../protocol/http-head.ts';

// RFC 9110, section 7.6.1, with what older lists and practice add. `expect` is answered here, `http2-settings`
// belongs to `Upgrade: h2c`, which we ignore; the proxy-auth pair is between a client and a proxy. `te` and `trailer`
// are written anew where trailers will pass.
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
]);

// Naming one of these in Connection would take away what the next hop needs to see where a message ends or
// whom it is for; such a wish is not honoured.
const alwaysKept = new Set(['host', 'content-length']);

/**
 * The fields of `fields` that go on to the next hop: not the hop-by-hop ones, not those that `Connection`
 * names, and not those that `drop` (lower-case name) refuses. A new list.
 */
export function endToEndFields(fields: HeadFields, drop: (name: string) => boolean = keepAll): string[] {
  const named = namedByConnection(fields);
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || drop(lower) || isAlias(lower)) continue;
    if (named?.has(lower) === true && !alwaysKept.has(lower)) continue;
    kept.push(name, fields[i + 1] ?? '');
  }
  return kept;
}

/**
 * Whether whoever sent these fields takes trailers (RFC 9110, section 10.1.4). `Connection: TE`, which should stand
 * beside it, is not asked for: few senders know of it.
 */
export function takesTrailers(fields: HeadFields): boolean {
  return listHas(joinedValue(fields, 'te'), 'trailers');
}

// CGI and WSGI servers read `Content_Length` as Content-Length: what frames a message has one spelling.
function isAlias(lower: string): boolean {
  if (!lower.includes('_')) return false;
  const plain = lower.replaceAll('_', '-');
  return hopByHop.has(plain) || alwaysKept.has(plain);
}

function keepAll(): boolean {
  return false;
}

function namedByConnection(fields: HeadFields): Set<string> | undefined {
  let named: Set<string> | undefined;
  for (const value of valuesOf(fields, 'connection')) {
    for (const part of value.split(',')) {
      const name = part.trim().toLowerCase();
      if (name !== '' && !hopByHop.has(name)) (named ??= new Set()).add(name);
    }
  }
  return named;
}
