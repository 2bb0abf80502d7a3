// Lets clients in as far as the limits of the listener go. Who is one too many hears it before its request is read: a
// listener that is full has nothing to spare for heads, nor for handshakes.
import { Buffer } from 'node:buffer';
import { problemResponse } from '../../protocol/http-error.ts';
import type { HeadFields } from '../../protocol/http-head.ts';
import { logRefusal } from './access-refusal.ts';
import type { CensusLimit, ClientCensus, Seat } from './census.ts';
import { clientOf, type Origin } from './client.ts';
import { lingerClose } from './linger.ts';
import type { ProxyDeps } from './ports.ts';
import { limitCode, tooMany } from './problems.ts';
import type { Wire } from './wire.ts';

/** The door of one listener. */
export interface Door {
  /** Whether `wire`, just accepted, may stay; else it has been answered and closes. `told`: an answer can be read on it. */
  admits(wire: Wire, told: boolean): boolean;
  /** The same for the client that a PROXY header has named since: its connection is counted already, its address is not. */
  admitsNamed(wire: Wire, told: boolean): boolean;
}

/** What a door is made of. */
export type DoorDeps = Pick<
  ProxyDeps,
  'census' | 'roomBehind' | 'clock' | 'rng' | 'open' | 'events' | 'access'
> & {
  /** Whether an address is that of a proxy, which stands for many. */
  readonly isProxy: (address: string) => boolean;
};

// Telling a client takes its connection for up to two seconds. Past so many of them who comes is reset unheard.
const maxTold = 1_000;

/** A door before a listener. */
export function createDoor(deps: DoorDeps): Door {
  const { census, isProxy } = deps;
  let told = 0;

  function turnAway(wire: Wire, limit: CensusLimit, canBeTold: boolean): void {
    const isTold = canBeTold && told < maxTold;
    const code = limitCode(limit);
    deps.events.refused('', code);
    const origin = () => ({ address: wire.remoteAddress });
    logRefusal(deps, { connection: wire, origin, isTold }, code);
    if (!isTold) return wire.destroy({ reset: true });
    told += 1;
    whenGone(wire, () => void (told -= 1));
    const answer = Buffer.from(problemResponse(tooMany(limit, deps.rng)), 'utf8');
    wire.send(answer, 0, answer.length);
    lingerClose(wire, deps);
  }

  /** Looked up only where it counts: it is a system call. */
  function countedAddress(wire: Wire): string {
    const address = census.countsAddresses ? wire.remoteAddress : '';
    return address === '' || isProxy(address) ? '' : address;
  }

  function seats(wire: Wire, seat: Seat | CensusLimit, canBeTold: boolean): boolean {
    if (typeof seat === 'string') turnAway(wire, seat, canBeTold);
    else holdSeat(wire, seat);
    return typeof seat !== 'string';
  }

  return {
    admits(wire, canBeTold) {
      const room = deps.roomBehind?.(wire.descriptor) ?? 'room';
      if (room !== 'room') {
        turnAway(wire, 'descriptorsShort', canBeTold && room === 'short');
        return false;
      }
      if (!census.countsConnections && !census.countsAddresses) return true;
      return seats(wire, census.enter('connection', countedAddress(wire)), canBeTold);
    },
    admitsNamed(wire, canBeTold) {
      const address = countedAddress(wire);
      return address === '' || seats(wire, census.enter('request', address), canBeTold);
    },
  };
}

/**
 * A place for a request that came through a trusted proxy, under its client's address; undefined where nothing counts
 * it: no limit, no trusted proxy, or one that names nobody but trusted ones.
 */
export function forwardedSeat(
  deps: Pick<ProxyDeps, 'census' | 'trusted'>,
  origin: Origin,
  fields: HeadFields,
): ReturnType<ClientCensus['enter']> | undefined {
  if (!deps.census.countsAddresses || !deps.trusted(origin.address)) return undefined;
  const { address } = clientOf(deps, origin, fields);
  return address === '' || deps.trusted(address) ? undefined : deps.census.enter('request', address);
}

/** The seat is given back when `wire` is gone. */
export function holdSeat(wire: Wire, seat: Seat): void {
  whenGone(wire, () => seat.leave());
}

function whenGone(wire: Wire, gone: () => void): void {
  const before = wire.onGone;
  wire.onGone =
    before === undefined
      ? gone
      : () => {
          before();
          gone();
        };
}
