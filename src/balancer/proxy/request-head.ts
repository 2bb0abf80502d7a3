// What a request must be before Herald looks for a node: the strict reading of upgrades, and the checks that
// node:http leaves to us. Where each raw request goes is told in docs/decisions/0011-who-parses-http.md.
import { parseFields, valuesOf, type HeadFields } from '../../protocol/http-head.ts';
import { asksForWebSocket } from './protocol-switch.ts';

/** A request head that has passed every check here. */
export interface RequestHead {
  /** Origin form: path and query as sent. */
  readonly target: string;
  /** The target up to the query, as sent: neither decoded nor normalised. */
  readonly path: string;
  /** The Host field as sent, not empty. */
  readonly host: string;
  /** Host in lower case without its port; IPv6 keeps its brackets. */
  readonly hostName: string;
  readonly fields: HeadFields;
}

export type CheckedHead =
  | { readonly ok: true; readonly head: RequestHead }
  | {
      readonly ok: false;
      /** The rule that the request breaks, for its sender. */
      readonly rule: string;
    };

// Visible ASCII from the first slash on, without a fragment.
const originForm = /^\/[!"$-~]*$/;
const hostForm = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

// RFC 9112, section 3.2.2: every server takes it. Without a user, which RFC 9110 (4.2.4) makes an error.
const absoluteForm = /^https?:\/\/([^/?#@]+)([/?].*)?$/i;

/** Checks what routing and forwarding rely on: one target, in origin form behind this, and exactly one usable Host. */
export function checkHead(asked: string, fields: HeadFields): CheckedHead {
  const absolute = absoluteForm.exec(asked);
  const target = absolute === null ? asked : originOf(absolute[2] ?? '');
  if (!originForm.test(target))
    return { ok: false, rule: 'the request target must be a path that starts with a slash' };
  const hosts = valuesOf(fields, 'host');
  const [host] = hosts;
  if (host === undefined || hosts.length !== 1)
    return { ok: false, rule: `a request needs exactly one Host field, this one has ${hosts.length}` };
  if (!hostForm.test(host))
    return { ok: false, rule: 'the Host field must be a name or address with an optional port' };
  // The RFC lets the target win over Host; whoever sends two names means to show each reader another one.
  if (absolute !== null && absolute[1]?.toLowerCase() !== host.toLowerCase())
    return { ok: false, rule: 'the request target and the Host field must name the same host' };
  const query = target.indexOf('?');
  const path = query === -1 ? target : target.slice(0, query);
  return {
    ok: true,
    head: { target, path, host, hostName: host.replace(/:\d+$/, '').toLowerCase(), fields },
  };
}

function originOf(rest: string): string {
  return rest.startsWith('/') ? rest : `/${rest}`;
}

/** Whether the fields announce a body, be it empty. */
export function announcesBody(fields: HeadFields): boolean {
  return valuesOf(fields, 'content-length').length > 0 || valuesOf(fields, 'transfer-encoding').length > 0;
}

const start = 'GET ';
const version = ' HTTP/1.1';

/**
 * The request when `text`, a whole head, is a canonical WebSocket upgrade; undefined when it is anything
 * else, which need not be wrong: then node:http reads the same bytes and decides.
 */
export function recogniseUpgrade(text: string): RequestHead | undefined {
  if (!text.startsWith(start)) return undefined;
  const lineEnd = text.indexOf('\r\n');
  if (!text.startsWith(version, lineEnd - version.length)) return undefined;
  const fields = parseFields(text, lineEnd + 2);
  if (fields === undefined || announcesBody(fields) || !asksForWebSocket(fields)) return undefined;
  if (valuesOf(fields, 'expect').length > 0) return undefined;
  const checked = checkHead(text.slice(start.length, lineEnd - version.length), fields);
  return checked.ok ? checked.head : undefined;
}
