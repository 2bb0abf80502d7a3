// From which local addresses nodes are dialled. One pair of addresses has some 28,000 ports; several sources have as many
// times that. Where one has run out, or cannot be bound, the others are tried within the same attempt.
import { isIPv6 } from 'node:net';

/** The sources of one listener. */
export interface SourceAddresses {
  /** Sources to try for a dial to `host`, a literal, in turn, each dial beginning with another; never empty. */
  forDial(host: string): readonly (string | undefined)[];
}

const chosenByKernel: readonly undefined[] = [undefined];

/** Sources in turn; without any the kernel chooses. */
export function createSourceAddresses(addresses: readonly string[]): SourceAddresses {
  const byFamily = { v4: addresses.filter((each) => !isIPv6(each)), v6: addresses.filter(isIPv6) };
  let turn = 0;
  return {
    forDial(host) {
      if (addresses.length === 0) return chosenByKernel;
      const sources = isIPv6(host) ? byFamily.v6 : byFamily.v4;
      if (sources.length === 0) return chosenByKernel;
      const first = turn++ % sources.length;
      return first === 0 ? sources : [...sources.slice(first), ...sources.slice(0, first)];
    },
  };
}

const sourceCodes: ReadonlySet<unknown> = new Set(['EADDRNOTAVAIL', 'EADDRINUSE']);

/** Whether a dial failed for want of a port on its source: another source may have one. */
export function isSourceExhausted(error: unknown): boolean {
  return error instanceof Error && 'code' in error && sourceCodes.has(error.code);
}
