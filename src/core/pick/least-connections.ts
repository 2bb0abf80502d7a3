// The node with the fewest connections for its size: what HAProxy's leastconn does with static weights.
import type { Picker } from './picker.ts';
import { lowest } from './candidate.ts';

export function leastConnections(): Picker {
  let startAt = 0;
  return (assessment, exclude) => {
    const { nodes } = assessment.snapshot;
    const index = lowest(assessment, exclude, {
      // (served + 1) ÷ weight, as HAProxy's lb_fwlc: the connection to come counts too.
      numberOf: (i) => ((nodes[i]?.counters.connections ?? Infinity) + 1) / (nodes[i]?.capacity ?? 1),
      startAt,
    });
    startAt = index + 1;
    return index;
  };
}
