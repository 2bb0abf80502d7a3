// A client that takes nothing of what waits for it, and one whose body stands still or drips.
import type { IncomingMessage } from 'node:http';
import type { Clock, Timer } from '../../core/clock.ts';

/** Waits for one client to take what has been queued for it. */
export class Stall {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #late: () => void;
  #timer: Timer | undefined;

  /** `late` is called when nothing was taken for `limitMs` (Infinity: never). */
  constructor(clock: Clock, limitMs: number, late: () => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#late = late;
  }

  /** Something is queued. */
  begin(): void {
    if (this.#limitMs !== Infinity) this.#timer ??= this.#clock.schedule(this.#limitMs, this.#late);
  }

  /** All has been taken, or nobody waits any more. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}

// What a body must move by in each span. A byte now and then keeps every timeout of sockets quiet, and holds a
// connection to a node for as long as its sender likes.
const leastBytes = 1024;

/** Calls `late` when the body of `request` came by less than 1 KiB within `spanMs` though somebody was reading it. */
export function watchBody(
  request: IncomingMessage,
  { clock, spanMs, late }: { readonly clock: Clock; readonly spanMs: number; readonly late: () => void },
): Timer {
  let seenBytes = request.socket.bytesRead;
  let wasRead = false;
  const timer = clock.repeat(spanMs, () => {
    if (request.complete) return timer.cancel();
    const { bytesRead } = request.socket;
    // While a node is looked for, or is slow itself, nobody reads.
    const isRead = request.readableFlowing === true;
    const isLate = wasRead && isRead && bytesRead - seenBytes < leastBytes;
    wasRead = isRead;
    seenBytes = bytesRead;
    if (isLate) late();
  });
  return timer;
}
