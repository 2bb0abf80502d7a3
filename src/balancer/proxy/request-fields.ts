// The fields that a node gets: the client's end-to-end ones with our account of the client in place of its own.
import { fieldText, type HeadFields } from '../../protocol/http-head.ts';
import type { Client } from './client.ts';
import { forwardedFields, isForwardingField } from './forwarded.ts';
import { endToEndFields } from './hop-by-hop.ts';
import { isReplacedBy, requestIdFields, type Marks } from './marks.ts';
import type { ProtocolSwitch } from './protocol-switch.ts';
import type { RequestHead } from './request-head.ts';

/** Fields for a forwarded request, name and value in turn. Host stays as the client sent it. */
export function nodeFields(head: RequestHead, client: Client, marks: Marks): string[] {
  const isOurs = (name: string) => isForwardingField(name) || isReplacedBy(marks, name);
  const fields = endToEndFields(head.fields, isOurs);
  fields.push(...forwardedFields(head, client), ...requestIdFields(marks), ...(marks.trace ?? []));
  return fields;
}

/** The whole head of an upgrade as it goes to any node: it is the same for each attempt. `fields` are those for it. */
export function upgradeRequestText(
  { method, protocol }: ProtocolSwitch,
  target: string,
  fields: HeadFields,
): string {
  const upgrade = `Connection: Upgrade\r\nUpgrade: ${protocol}\r\n`;
  return `${method} ${target} HTTP/1.1\r\n${fieldText(fields)}${upgrade}\r\n`;
}
