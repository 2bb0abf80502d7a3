// The last seconds of a client's connection that Herald has answered for good.
import type { Timer } from '../../core/clock.ts';
import type { Ending, Open } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import type { Wire, WireReader } from './wire.ts';

// Closing with unread bytes makes the kernel send RST, which takes our answer away from the client before it
// has read it (RFC 9112, section 9.6). So we end our half and throw away what still comes, for this long.
const lingerMs = 2_000;

/** What lingering needs. */
export type LingerDeps = Pick<ProxyDeps, 'clock' | 'open'>;

class Linger implements WireReader, Ending {
  readonly #wire: Wire;
  readonly #open: Open;
  readonly #timer: Timer;

  constructor(wire: Wire, deps: LingerDeps, limitMs: number) {
    this.#wire = wire;
    this.#open = deps.open;
    this.#timer = deps.clock.schedule(limitMs, () => this.destroy());
    deps.open.add(this);
  }

  bytes(): void {
    // Nothing that comes now has a meaning.
  }

  ended(): void {
    this.destroy();
  }

  drained(): void {
    // The kernel has our answer; the client ends when it has read it.
  }

  closed(): void {
    this.#timer.cancel();
    this.#open.remove(this);
  }

  destroy(): void {
    this.closed();
    this.#wire.destroy();
  }
}

/**
 * Ends our half of `wire` and closes it when the client has, at the latest after `limitMs`. A caller whose last
 * bytes wait for a slow client gives more than the two seconds.
 */
export function lingerClose(wire: Wire, deps: LingerDeps, limitMs = lingerMs): void {
  if (wire.isClosed) return;
  wire.reader = new Linger(wire, deps, limitMs);
  wire.end();
  wire.resume();
}
