// What a bound on connections is a part of: all that the eligible nodes have. Summed up once for each assessment, since
// a look at every node for every client is what a thousand nodes cannot pay.
import type { Assessment } from '../assess.ts';
import { perAssessment } from './per-assessment.ts';

/** Connections (all balancers') and capacity of the eligible nodes together; both 0 when there are none. */
export interface EligibleSum {
  readonly connections: number;
  readonly capacity: number;
}

/**
 * The sum as it is now, `gained` connections having come to the pool (below 0: gone) since the assessment. Those that
 * came to or went from nodes that are not eligible are taken for the others', until the next assessment.
 */
export type SumOfEligible = (assessment: Assessment, gained: number) => EligibleSum;

/** A sum with a memory of the assessment that it was made for; one for each pool. */
export function createEligibleSum(): SumOfEligible {
  const sumOf = perAssessment(sumUp);
  return (assessment, gained) => {
    const { connections, capacity } = sumOf(assessment);
    return { connections: Math.max(0, connections + gained), capacity };
  };
}

function sumUp({ snapshot, ineligible, connections }: Assessment): EligibleSum {
  const sum = { connections: 0, capacity: 0 };
  for (const [index, { capacity = 1 }] of snapshot.nodes.entries()) {
    if (ineligible[index] !== undefined) continue;
    sum.connections += connections[index] ?? 0;
    sum.capacity += capacity;
  }
  return sum;
}
