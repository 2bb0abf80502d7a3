// The last seconds of a balancer: everybody is asked to leave, a few at a time, and waited for, but not for ever.
import type { Clock } from '../core/clock.ts';
import type { Rng } from '../core/rng.ts';
import type { Policy } from '../policy/policy.ts';
import { retryAfterMs } from './proxy/refuse.ts';
import type { DataPlane, GoodbyeOutcome, OpenConnections, StopReport } from './state/ports.ts';

const tickMs = 100;
// Telling takes three quarters of the grace at most: the last ones told need time to answer, too.
const tellingPart = 0.75;
// Fewer at a time do nobody good: one balancer's clients meet others that take this many without noticing.
const leastPerSecond = 20;
// What has been dialled before the listeners closed may open after everybody was told.
const ticksPerLook = 10;

/** What a shutdown acts on. */
export interface ShutdownDeps {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly dataPlane: DataPlane;
  readonly policies: ReadonlyMap<string, Pick<Policy, 'drain'>>;
  /** Everything under way, dials and unread heads included. */
  readonly openCount: () => number;
}

interface Told {
  readonly pool: string;
  readonly id: number;
}

/**
 * Says goodbye to every open connection, spread over the grace, and resolves when nothing is open or `graceMs` have
 * passed; with 0 at once, and nobody is told. What is left is the caller's to end; it counts as cut.
 */
export async function endGracefully(deps: ShutdownDeps, graceMs: number): Promise<StopReport> {
  const { clock, openCount } = deps;
  if (graceMs <= 0 || openCount() === 0) return { closed: 0, refusedByPeer: 0, cut: openCount() };
  const farewell = new Farewell(deps, graceMs);
  return new Promise((resolve) => {
    const timer = clock.repeat(tickMs, () => {
      farewell.tick();
      if (openCount() > 0 && clock.nowMs() < farewell.byMs) return;
      timer.cancel();
      resolve(farewell.report(openCount()));
    });
  });
}

class Farewell {
  readonly byMs: number;
  readonly #deps: ShutdownDeps;
  readonly #startedMs: number;
  readonly #tellingMs: number;
  readonly #waiting: Told[] = [];
  readonly #count: number;
  readonly #outcomes = new Map<GoodbyeOutcome, number>();
  #ticks = 0;

  constructor(deps: ShutdownDeps, graceMs: number) {
    this.#deps = deps;
    this.#startedMs = deps.clock.nowMs();
    this.byMs = this.#startedMs + graceMs;
    this.#look((told) => void this.#waiting.push(told));
    this.#count = this.#waiting.length;
    shuffle(this.#waiting, deps.rng);
    this.#tellingMs = Math.min(graceMs * tellingPart, (this.#count * 1000) / leastPerSecond);
  }

  /** Tells those whose time has come. */
  tick(): void {
    this.#ticks += 1;
    const part = Math.min(1, (this.#deps.clock.nowMs() - this.#startedMs) / this.#tellingMs);
    // Nobody was there to begin with: nothing divided by nothing.
    const due = Number.isNaN(part) ? 0 : Math.ceil(this.#count * part);
    while (this.#count - this.#waiting.length < due) this.#tell(this.#waiting.pop());
    if (this.#waiting.length === 0 && this.#ticks % ticksPerLook === 0)
      this.#look((told) => this.#tell(told));
  }

  report(open: number): StopReport {
    const count = (outcome: GoodbyeOutcome) => this.#outcomes.get(outcome) ?? 0;
    return { closed: count('closed'), refusedByPeer: count('refusedByPeer'), cut: count('cut') + open };
  }

  /** Finds who has not been told. Exchanges come to their own end, so telling them needs no pacing. */
  #look(found: (told: Told) => void): void {
    const { dataPlane, policies } = this.#deps;
    for (const pool of policies.keys()) {
      const connections = dataPlane.connections(pool);
      for (let i = 0; i < connections.size; i++) {
        if (connections.isLeaving[i] === 1) continue;
        const told = { pool, id: connections.id[i] ?? -1 };
        if (endsByItself(connections, i)) this.#tell(told);
        else found(told);
      }
    }
  }

  #tell(told: Told | undefined): void {
    const drain = this.#deps.policies.get(told?.pool ?? '')?.drain;
    if (told === undefined || drain === undefined) return;
    this.#deps.dataPlane.shed({
      pool: told.pool,
      connectionIds: [told.id],
      goodbye: {
        code: drain.closeCode,
        reason: drain.closeReason,
        retryAfterMs: retryAfterMs(this.#deps.rng),
        byMs: this.byMs,
      },
      settled: (_id, outcome) => this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1),
    });
  }
}

function endsByItself({ kind }: OpenConnections, index: number): boolean {
  return kind[index] === 'http' || kind[index] === 'longPoll';
}

/** Fisher and Yates: so that no node and no age group hears first. */
function shuffle(items: Told[], rng: Rng): void {
  for (let i = items.length - 1; i > 0; i--) {
    const other = Math.floor(rng.next() * (i + 1));
    const [a, b] = [items[i], items[other]];
    if (a === undefined || b === undefined) return;
    items[i] = b;
    items[other] = a;
  }
}
