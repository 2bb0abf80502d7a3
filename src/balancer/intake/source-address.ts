// Addresses as sockets and reports show them, and which of them is the node's.
import { isIP, isIPv4 } from 'node:net';
import { HeraldError } from '../../core/error.ts';
import type { NodeIdentity } from '../../core/snapshot.ts';
import type { Report, ReportedNode } from '../../protocol/report.ts';

/** Where a node takes clients. */
export interface NodeAddress {
  /** Host name or IP literal, IPv6 without brackets, IPv4 never in IPv6 clothes. */
  readonly host: string;
  readonly port: number;
}

/** An address in one form: `::ffff:10.0.0.1` is 10.0.0.1, and letters are lower case. */
export function plainAddress(address: string): string {
  const lower = address.toLowerCase();
  const mapped = lower.startsWith('::ffff:') ? lower.slice('::ffff:'.length) : '';
  return isIPv4(mapped) ? mapped : lower;
}

/** True for 127.0.0.0/8 and ::1, given in plain form. */
export function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

/**
 * The address of a reported node: what the report says; else the report's source with `node.port`; else, for
 * a node of the configuration, what that says. Throws HERALD_REPORT_INVALID when none of them is there.
 */
export function nodeAddress(
  { node }: Report,
  { sourceHost, configured }: { sourceHost: string; configured: NodeIdentity | undefined },
): NodeAddress {
  const reported = reportedAddress(node, sourceHost);
  if (configured !== undefined) {
    // A configured name cannot be compared with an address without a resolver: the port has to do.
    const isSamePort = isIP(configured.host) === 0 && reported?.port === configured.port;
    if (reported === undefined || isSamePort) return { host: configured.host, port: configured.port };
  }
  if (reported !== undefined) return reported;
  throw new HeraldError(
    'HERALD_REPORT_INVALID',
    `report refused: node '${node.id}' is not in the configuration, so its report needs node.address or node.port`,
    { node: node.id },
  );
}

function reportedAddress({ address, port }: ReportedNode, sourceHost: string): NodeAddress | undefined {
  if (address !== undefined) return splitAddress(address);
  return port === undefined ? undefined : { host: sourceHost, port };
}

/** `host:port` or `[host]:port`, as decodeReport has checked it. */
function splitAddress(address: string): NodeAddress {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return { host: plainAddress(host), port: Number(address.slice(colon + 1)) };
}
