// Who waits for a place in a pool and why, told in sentences. Decides nothing.
import type { Policy } from '../policy/policy.ts';
import { percent, rounded } from './explain-node.ts';
import type { AdmissionView } from './snapshot.ts';

/** Sentences for the notes of a pool; empty when nobody waits and clients are let in as usual. */
export function admissionNotes(admission: AdmissionView | undefined, { admit }: Policy): string[] {
  if (admission === undefined) return [];
  const { waiting, isHeld, isOverfilled } = admission;
  const level = percent(admit.fillTo);
  const notes: string[] = [];
  if (isOverfilled)
    notes.push(
      `The pool has lacked room below ${level} for ${rounded(admit.overfillAfterMs / 1000)} s, so clients are let in above it: add nodes.`,
    );
  if (waiting === 0) return notes;
  const who = waiting === 1 ? '1 client waits' : `${waiting} clients wait`;
  const why = isHeld ? `no node has room below ${level} by its last report` : whyNoToken(admit);
  notes.push(`${who} for admission, the oldest for ${rounded(admission.oldestMs / 1000)} s: ${why}.`);
  return notes;
}

function whyNoToken({ ratePerSecond }: Policy['admit']): string {
  const pool = ratePerSecond === 'off' ? '' : `admit.rate (${rounded(ratePerSecond)}/s), `;
  return `${pool}place.connectRate or maxConnections allows no more now`;
}
