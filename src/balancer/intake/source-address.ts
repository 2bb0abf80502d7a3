// Which of the addresses that sockets and reports show is the node's.
import { HeraldError } from '../../core/error.ts';
import type { NodeIdentity } from '../../core/snapshot.ts';
import { plainAddress, type Address } from '../../policy/address.ts';
import { parseIp } from '../../policy/cidr.ts';
import { splitAddress } from '../../protocol/field-checks.ts';
import type { Report, ReportedNode } from '../../protocol/report.ts';

/**
 * The address of a reported node: what the report says; else the report's source with `node.port`; else, for
 * a node of the configuration, what that says. Throws HERALD_REPORT_INVALID when none of them is there.
 */
export function nodeAddress(
  { node }: Report,
  { sourceHost, configured }: { sourceHost: string; configured: NodeIdentity | undefined },
): Address {
  const reported = reportedAddress(node, sourceHost);
  if (configured !== undefined) {
    // A configured name cannot be compared with an address without a resolver: the port has to do.
    const isSamePort = parseIp(configured.host) === undefined && reported?.port === configured.port;
    if (reported === undefined || isSamePort) return { host: configured.host, port: configured.port };
  }
  if (reported !== undefined) return reported;
  throw new HeraldError(
    'HERALD_REPORT_INVALID',
    `report refused: node '${node.id}' is not in the configuration, so its report needs node.address or node.port`,
    { node: node.id },
  );
}

function reportedAddress({ address, port }: ReportedNode, sourceHost: string): Address | undefined {
  if (address === undefined) return port === undefined ? undefined : { host: sourceHost, port };
  const split = splitAddress(address);
  return split && { host: plainAddress(split.host), port: split.port };
}
