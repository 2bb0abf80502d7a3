// What of a request is hashed to find the node that its client belongs to. Texts are taken as sent: nothing is decoded.
import { hashText, type Hash } from '../../core/pick/rendezvous.ts';
import { parseIp } from '../../policy/cidr.ts';
import type { HashRule } from '../../policy/policy.ts';
import { valuesOf } from '../../protocol/http-head.ts';
import type { RequestHead } from './request-head.ts';

/** The hash by `rule`; undefined when the request has nothing to hash: then any node will do. */
export function affinityKey(rule: HashRule, head: RequestHead, clientAddress: string): Hash | undefined {
  const text = keyText(rule, head, clientAddress);
  return text === '' ? undefined : hashText(text);
}

function keyText({ kind, name, segment }: HashRule, head: RequestHead, clientAddress: string): string {
  switch (kind) {
    case 'header':
      return valuesOf(head.fields, name)[0] ?? '';
    case 'query':
      return parameterIn(head.target, name);
    case 'path':
      return head.path.split('/', segment + 1)[segment] ?? '';
    case 'source':
      return sourceText(clientAddress);
  }
}

/** The value of the first parameter called `name` in the query of `target`, '' when there is none. */
function parameterIn(target: string, name: string): string {
  const query = target.indexOf('?');
  if (query === -1) return '';
  for (const pair of target.slice(query + 1).split('&')) {
    if (pair.startsWith(name) && pair[name.length] === '=') return pair.slice(name.length + 1);
  }
  return '';
}

// A device changes the lower half of its IPv6 address by itself, day by day; the upper half is its network.
function sourceText(clientAddress: string): string {
  const parsed = parseIp(clientAddress);
  if (parsed === undefined) return clientAddress;
  return parsed.version === 4 ? String(parsed.bits) : `6:${parsed.bits >> 64n}`;
}
