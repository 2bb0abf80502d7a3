// What must hold, one sentence each, and what was found against it. Who looks is sampler.ts and final-checks.ts.

/** Every invariant that a run checks: `while` it runs, or `quiet`, at the end when nothing has failed for a while. */
export const invariants = {
  connected: ['quiet', 'Every client is connected and hears its echo.'],
  echo: [
    'while',
    'What a client hears is what it sent on this connection, whole, once and in order; the first message is the greeting of one node.',
  ],
  ends: [
    'while',
    'A connection ends only for a reason that the schedule explains: its node, worker or balancer was killed (1006), or a drain, a rebalance or SIGTERM asked it to leave (1012).',
  ],
  attempts: ['while', 'A connection attempt is refused or reset only by a balancer that is down.'],
  leases: [
    'quiet',
    'For each node the connections that it has, those that its clients have, and the sum of those that the balancers own are the same number: no lease is lost or doubled.',
  ],
  overlay: [
    'quiet',
    'Each balancer believes of each other one exactly as many connections as that one owns.',
  ],
  adminStates: [
    'while',
    'Whenever all balancers are connected and have nothing unsaid, each node has the same admin state on all, and it is what the operator said last; of wishes at odds the more restrictive.',
  ],
  freeze: ['while', 'The same for the freeze of the pool.'],
  drained: ['quiet', 'A node that is to be drained has no connection.'],
  oneLeader: [
    'while',
    'Two balancers take themselves for the leader only while one of them is cut off, or Redis has just forgotten the lease.',
  ],
  led: ['quiet', 'Exactly one balancer leads.'],
  tokens: ['while', 'Fencing tokens only grow, over every loss of Redis.'],
  links: ['quiet', 'Every balancer is connected, knows all others, and has nothing unsaid.'],
  serves: ['while', 'A balancer that is started serves, and ends only when it is told to.'],
  heard: ['while', 'A balancer that lives answers the operator, and refuses only with a code that says why.'],
  memory: ['while', 'The memory of a balancer stays below 400 MiB.'],
  descriptors: ['quiet', 'A balancer has no more descriptors open than two for each connection and 100.'],
  errors: ['while', 'No balancer logs an error, HERALD_INTERNAL, or anything on stderr.'],
  returned: ['quiet', 'When all clients have left, no balancer counts a connection.'],
  ended: ['quiet', 'All processes end when told to, balancers with exit code 0; none is left.'],
} as const satisfies Record<string, readonly ['while' | 'quiet', string]>;

/** Names of invariants. */
export type Invariant = keyof typeof invariants;

/** What was seen against an invariant; of another run than chaos by the names of that one. */
export interface Violation<Name extends string = Invariant> {
  readonly invariant: Name;
  readonly atMs: number;
  readonly seen: string;
}

// The first ones tell what happened; hundreds of clients tell it again.
const keptOfEach = 5;

/** The findings of one run. */
export class Verdicts<Name extends string = Invariant> {
  readonly #nowMs: () => number;
  readonly #tell: (line: string) => void;
  readonly #checked = new Map<Name, number>();
  readonly #broken = new Map<Name, number>();
  readonly violations: Violation<Name>[] = [];

  constructor(nowMs: () => number, tell: (line: string) => void) {
    this.#nowMs = nowMs;
    this.#tell = tell;
  }

  /** Looks at one case. `seen` is asked only where it does not hold. */
  check(invariant: Name, holds: boolean, seen: () => string): void {
    this.#checked.set(invariant, this.checked(invariant) + 1);
    if (holds) return;
    const count = this.broken(invariant) + 1;
    this.#broken.set(invariant, count);
    if (count > keptOfEach) return;
    const violation = { invariant, atMs: Math.round(this.#nowMs()), seen: seen() };
    this.violations.push(violation);
    this.#tell(`VIOLATED ${invariant}: ${violation.seen}`);
  }

  /** How often it was looked at. 0 is a run that proves nothing of it. */
  checked(invariant: Name): number {
    return this.#checked.get(invariant) ?? 0;
  }

  broken(invariant: Name): number {
    return this.#broken.get(invariant) ?? 0;
  }
}

/** All names, in the order of the table. */
export function invariantNames(): readonly Invariant[] {
  // Proof of `as`: the keys of that object.
  return Object.keys(invariants) as Invariant[];
}
