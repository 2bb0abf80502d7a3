// Host names of nodes to addresses: one lookup at a time for each name, remembered for a few seconds.
import { lookup as systemLookup } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock } from '../../core/clock.ts';

/** Calls back with an IP literal, or with the error. At once for literals and remembered names. */
export type HostResolver = (
  host: string,
  done: (error: NodeJS.ErrnoException | undefined, address: string) => void,
) => void;

/** node:dns's lookup, or what stands for it in tests. */
export type Lookup = (
  host: string,
  done: (error: NodeJS.ErrnoException | null, address: string) => void,
) => void;

// Orchestrators move names within seconds; a burst of upgrades must not become a burst of lookups, which
// share four threads of the process.
const keepMs = 5_000;

interface Entry {
  address: string;
  validUntilMs: number;
  waiting: ((error: NodeJS.ErrnoException | undefined, address: string) => void)[] | undefined;
}

/** A resolver over the system's lookup (hosts file, DNS). Failures are not remembered. */
export function createHostResolver(
  clock: Clock,
  lookup: Lookup = (host, done) => systemLookup(host, (error, address) => done(error, address)),
): HostResolver {
  const entries = new Map<string, Entry>();

  function settle(host: string, entry: Entry, error: NodeJS.ErrnoException | undefined): void {
    const waiting = entry.waiting ?? [];
    entry.waiting = undefined;
    if (error !== undefined) entries.delete(host);
    for (const done of waiting) done(error, entry.address);
  }

  return (host, done) => {
    if (isIP(host) !== 0) return done(undefined, host);
    const known = entries.get(host);
    if (known?.waiting !== undefined) return void known.waiting.push(done);
    if (known !== undefined && clock.nowMs() < known.validUntilMs) return done(undefined, known.address);
    const entry: Entry = { address: '', validUntilMs: 0, waiting: [done] };
    entries.set(host, entry);
    lookup(host, (error, address) => {
      entry.address = address;
      entry.validUntilMs = clock.nowMs() + keepMs;
      settle(host, entry, error ?? undefined);
    });
  };
}
