// Lets clients in as far as the limits of the listener go. Who is one too many hears it before its request is read: a
// listener that is full has nothing to spare for heads.
import { Buffer } from 'node:buffer';
import { problemResponse } from '../../protocol/http-error.ts';
import { joinedValue, type HeadFields } from '../../protocol/http-head.ts';
import type { Problem } from '../../protocol/problem.ts';
import type { ClientCensus, Seat } from './census.ts';
import { lingerClose } from './linger.ts';
import type { ProxyDeps } from './ports.ts';
import { tooMany } from './problems.ts';
import type { Wire } from './wire.ts';

/** The door of one listener. */
export interface Door {
  /** Whether `wire`, just accepted, may stay; else it has been answered and closes. */
  admits(wire: Wire): boolean;
}

// Telling a client takes its connection for up to two seconds. Past so many of them who comes is reset unheard.
const maxTold = 1_000;

/** A door before a listener. */
export function createDoor(
  deps: Pick<ProxyDeps, 'census' | 'clock' | 'rng' | 'open' | 'events' | 'trusted'>,
): Door {
  const { census } = deps;
  let told = 0;

  function turnAway(wire: Wire, problem: Problem): void {
    deps.events.refused('', problem.code);
    if (told >= maxTold) return wire.destroy({ reset: true });
    told += 1;
    wire.onGone = () => void (told -= 1);
    const answer = Buffer.from(problemResponse(problem), 'utf8');
    wire.send(answer, 0, answer.length);
    lingerClose(wire, deps);
  }

  return {
    admits(wire) {
      if (!census.countsConnections && !census.countsAddresses) return true;
      // Looked up only where it counts: it is a system call.
      const address = census.countsAddresses ? wire.remoteAddress : '';
      const seat = census.enter('connection', address === '' || deps.trusted(address) ? '' : address);
      if (typeof seat === 'string') {
        turnAway(wire, tooMany(seat, deps.rng));
        return false;
      }
      wire.onGone = () => seat.leave();
      return true;
    },
  };
}

/**
 * A place for a request that came through a trusted proxy, under its client's address; undefined where nothing counts
 * it: no limit, no trusted proxy, or one that names nobody.
 */
export function forwardedSeat(
  { census, trusted }: Pick<ProxyDeps, 'census' | 'trusted'>,
  peer: string,
  fields: HeadFields,
): ReturnType<ClientCensus['enter']> | undefined {
  if (!census.countsAddresses || !trusted(peer)) return undefined;
  // From the right: each proxy appends whom it saw, and what stands left of the first stranger is the stranger's claim.
  const chain = joinedValue(fields, 'x-forwarded-for').split(',');
  const client = chain.map((part) => part.trim()).findLast((part) => part !== '' && !trusted(part));
  return client === undefined ? undefined : census.enter('request', client);
}

/** The seat is given back when `wire` is gone. */
export function holdSeat(wire: Wire, seat: Seat): void {
  const before = wire.onGone;
  wire.onGone = () => {
    before?.();
    seat.leave();
  };
}
