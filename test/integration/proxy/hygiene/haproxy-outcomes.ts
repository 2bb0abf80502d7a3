// What HAProxy 2.6.12 did with each case, as record-haproxy.ts found it.
import { readFileSync } from 'node:fs';
import type { Outcome } from './case.ts';

// Proof of `as`: record-haproxy.ts has written it from outcomes.
const recorded = JSON.parse(readFileSync(new URL('haproxy-2.6.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Outcome>
>;

/** By the name of the case. */
export const recordedAtHaproxy = recorded;
