// Each candidate in turn, in proportion to declared capacity: nginx's smooth weighted round robin.
import type { Assessment } from '../assess.ts';
import { isCandidate } from './candidate.ts';
import type { Picker } from './picker.ts';

/** What each node has saved up, in the order of the assessment's nodes. */
interface Credits {
  readonly of: Assessment;
  readonly credit: Float64Array;
}

export function roundRobin(): Picker {
  let credits: Credits | undefined;
  return (assessment, exclude) => {
    if (credits?.of !== assessment) credits = { of: assessment, credit: carriedOver(credits, assessment) };
    const { credit } = credits;
    const { nodes } = assessment.snapshot;
    let total = 0;
    let best = -1;
    for (let index = 0; index < nodes.length; index += 1) {
      if (!isCandidate(assessment, index, exclude)) continue;
      const weight = nodes[index]?.capacity ?? 1;
      const saved = (credit[index] ?? 0) + weight;
      credit[index] = saved;
      total += weight;
      if (best === -1 || saved > (credit[best] ?? 0)) best = index;
    }
    if (best !== -1) credit[best] = (credit[best] ?? 0) - total;
    return best;
  };
}

/** By id, not by index: nodes come and go between two assessments. Who is new starts with nothing. */
function carriedOver(before: Credits | undefined, { snapshot }: Assessment): Float64Array {
  const known = new Map(before?.of.snapshot.nodes.map(({ id }, index) => [id, before.credit[index]]));
  return Float64Array.from(snapshot.nodes, ({ id }) => known.get(id) ?? 0);
}
