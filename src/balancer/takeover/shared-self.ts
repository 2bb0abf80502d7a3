// What a takeover asks of a balancer that shares its state: who it is to others, and to be that no more. Who does it is
// peering.ts.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { isOneLife } from '../state/peer-life.ts';
import type { PeerPlace } from '../state/shared-store.ts';
import type { PeerHeritage } from './messages.ts';

/** This process among other balancers. */
export interface SharedSelf {
  readonly place: PeerPlace;
  /**
   * What the process after this one goes on with. HERALD_TAKEOVER_FAILED when the others have not heard of all that
   * operators want: nobody else would tell them.
   */
  handOver(): Promise<PeerHeritage>;
  /**
   * Is a peer no more, and leads no more; bounded in time. `to`: who the process after it is to others, which hear of no
   * change where it is the same peer, and of a farewell otherwise.
   */
  leave(to: PeerPlace | undefined): Promise<void>;
}

/** True when the process of `to` is the same peer as that of `from`, one takeover later. */
export function goesOnAs(from: PeerPlace, to: PeerPlace): boolean {
  return from.id === to.id && from.where === to.where && isOneLife(from.epoch, to.epoch);
}

const lookEveryMs = 50;
// A wish takes a tenth of a second and a round trip; without a link it would take for ever.
const patienceMs = 1000;

/** Resolves when nothing is unsaid any more. HERALD_TAKEOVER_FAILED after a second. */
export async function untilSaid(unsaidCount: () => number, clock: Clock): Promise<void> {
  const untilMs = clock.nowMs() + patienceMs;
  while (unsaidCount() > 0) {
    if (clock.nowMs() >= untilMs)
      throw new HeraldError(
        'HERALD_TAKEOVER_FAILED',
        `the other balancers have not heard all that operators want (${unsaidCount()} unsaid): wait for the link to Redis`,
      );
    await new Promise<void>((resolve) => clock.schedule(lookEveryMs, resolve));
  }
}
