// What a request asks its connection to become (RFC 9110, section 7.8), and for which of these Herald asks a node.
import { isToken, joinedValue, listHas, valuesOf, type HeadFields } from '../../protocol/http-head.ts';

/** A wish for another protocol on this connection. */
export interface ProtocolSwitch {
  readonly method: string;
  /** The protocol by its name and perhaps version, as sent: `websocket`, `SPDY/3.1`. */
  readonly protocol: string;
}

/** Of every upgrade that the fast way takes. */
export const webSocketSwitch: ProtocolSwitch = { method: 'GET', protocol: 'websocket' };

// HTTP by another name, in the open or within TLS: behind it are requests that no check of ours would see.
const carriesRequests = new Set(['h2c', 'h2', 'http', 'tls']);

/** Whether the fields ask for a WebSocket, and only for that: one Upgrade, named by Connection. */
export function asksForWebSocket(fields: HeadFields): boolean {
  return askedProtocol(fields)?.toLowerCase() === webSocketSwitch.protocol;
}

/** Whether the bytes behind the switch are frames that can be counted and ended in between. */
export function isWebSocket({ protocol }: ProtocolSwitch): boolean {
  return protocol.toLowerCase() === webSocketSwitch.protocol;
}

/** What the fields and the method ask for; undefined: nothing that a node is asked for, and the wish is ignored. */
export function askedSwitch(fields: HeadFields, method: string): ProtocolSwitch | undefined {
  const protocol = askedProtocol(fields);
  if (protocol === undefined || isBodyAnnounced(fields)) return undefined;
  const [name = '', version] = protocol.split('/');
  const isNamed = isToken(name) && (version === undefined || isToken(version));
  const isOne = isNamed && protocol.split('/').length <= 2;
  return isOne && !carriesRequests.has(name.toLowerCase()) ? { method, protocol } : undefined;
}

/** Whether `fields`, of a 101, switch to `protocol` and to nothing else. */
export function switchesTo(protocol: string, fields: HeadFields): boolean {
  return askedProtocol(fields)?.toLowerCase() === protocol.toLowerCase();
}

function askedProtocol(fields: HeadFields): string | undefined {
  const upgrades = valuesOf(fields, 'upgrade');
  return upgrades.length === 1 && listHas(joinedValue(fields, 'connection'), 'upgrade')
    ? upgrades[0]
    : undefined;
}

// A body would have to reach the node before its answer. A length of 0, as clients write behind POST, is none.
function isBodyAnnounced(fields: HeadFields): boolean {
  const lengths = valuesOf(fields, 'content-length');
  return valuesOf(fields, 'transfer-encoding').length > 0 || lengths.some((length) => length !== '0');
}
