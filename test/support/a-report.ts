// Reports: decoded, and as an agent posts them.
import type { Report, ReportedNode } from '../../src/protocol/report.ts';

/** What a test changes of a report; what it says of the node stands beside the rest. */
export interface ReportParts extends Partial<Omit<Report, 'node'>>, Partial<ReportedNode> {}

/** A report of node `a` of pool `chat`, taken this moment; `cpu` 0.5 unless other signals are given. */
export function aReport({
  id = 'a',
  address,
  port,
  capacity,
  zone,
  version,
  ...parts
}: ReportParts = {}): Report {
  return {
    pool: 'chat',
    node: {
      id,
      ...(address === undefined ? {} : { address }),
      ...(port === undefined ? {} : { port }),
      ...(capacity === undefined ? {} : { capacity }),
      ...(zone === undefined ? {} : { zone }),
      ...(version === undefined ? {} : { version }),
    },
    epoch: 'e1',
    seq: 1,
    ageMs: 0,
    intervalMs: 1000,
    connections: 0,
    signals: { cpu: 0.5 },
    leaving: false,
    ...parts,
  };
}

/** The JSON that an agent posts for node `a`. */
export function aReportBody(change: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    version: 1,
    pool: 'chat',
    node: { id: 'a', port: 8081 },
    epoch: 'e1',
    seq: 1,
    ageMs: 3,
    intervalMs: 1000,
    connections: 412,
    signals: { cpu: 0.42, eventLoopLagMs: 3.1 },
    ...change,
  };
}
