// The clients of a soak: so many seats, each of which is one connection after the other until all leave.
import { setTimeout as sleep } from 'node:timers/promises';
import { pcg32, type Rng } from '../../src/core/rng.ts';
import { between } from './bytes.ts';
import { visitByBytes } from './bytes-visit.ts';
import type { Desk } from './desk.ts';
import { visitByEvents, visitByPolls } from './http-visits.ts';
import { visitByWebSocket } from './ws-visit.ts';

type Visit = (desk: Desk, rng: Rng) => Promise<void>;

/** Resolves when every seat is empty, after the desk has said to leave. Rejects with what a visit throws. */
export async function comeAndGo(desk: Desk, seats: number, seed: number): Promise<void> {
  await Promise.all(
    Array.from({ length: seats }, async (_, index) => {
      const rng = pcg32(seed * 100_000 + index);
      await sleep(index * 20);
      while (!desk.isLeaving) {
        await visitOf(rng.next())(desk, rng);
        await sleep(between(rng, [0, 500]));
      }
    }),
  );
}

function visitOf(chance: number): Visit {
  if (chance < 0.6) return visitByWebSocket;
  if (chance < 0.75) return visitByBytes;
  return chance < 0.87 ? visitByEvents : visitByPolls;
}
