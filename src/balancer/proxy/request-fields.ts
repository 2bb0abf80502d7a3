// The fields that a node gets: the client's end-to-end ones with our account of the client in place of its own.
import { fieldText } from '../../protocol/http-head.ts';
import { forwardedFields, isForwardingField } from './forwarded.ts';
import { endToEndFields } from './hop-by-hop.ts';
import type { RequestHead } from './request-head.ts';

/** Who sends the request. */
export interface RequestSource {
  readonly address: string;
  readonly isTrusted: boolean;
  /** It came over TLS; absent: it did not. */
  readonly isEncrypted?: boolean;
}

/** Fields for a forwarded request, name and value in turn. Host stays as the client sent it. */
export function nodeFields(head: RequestHead, source: RequestSource): string[] {
  const fields = endToEndFields(head.fields, isForwardingField);
  fields.push(...forwardedFields(head.fields, { ...source, host: head.host }));
  return fields;
}

/** The whole head of a WebSocket upgrade as it goes to any node: it is the same for each attempt. */
export function upgradeRequestText(head: RequestHead, source: RequestSource): string {
  const fields = fieldText(nodeFields(head, source));
  return `GET ${head.target} HTTP/1.1\r\n${fields}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
}
