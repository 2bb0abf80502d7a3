// Each candidate in turn, in proportion to declared capacity: nginx's smooth weighted round robin.
import { isCandidate } from './candidate.ts';
import type { Picker } from './picker.ts';

export function roundRobin(): Picker {
  // Credit by node id, not by index: nodes come and go between two assessments.
  let credits = new Map<string, number>();
  return (assessment, exclude) => {
    const next = new Map<string, number>();
    let total = 0;
    let best = '';
    let bestIndex = -1;
    assessment.snapshot.nodes.forEach(({ id, capacity }, index) => {
      const weight = isCandidate(assessment, index, exclude) ? (capacity ?? 1) : 0;
      const credit = (credits.get(id) ?? 0) + weight;
      total += weight;
      next.set(id, credit);
      if (weight === 0 || credit <= (next.get(best) ?? -Infinity)) return;
      best = id;
      bestIndex = index;
    });
    if (bestIndex === -1) return -1;
    next.set(best, (next.get(best) ?? 0) - total);
    credits = next;
    return bestIndex;
  };
}
