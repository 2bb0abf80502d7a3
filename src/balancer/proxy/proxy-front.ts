// Reads the PROXY header in front of a connection, within one time limit.
import { Buffer } from 'node:buffer';
import type { Timer } from '../../core/clock.ts';
import { readProxyHeader } from '../../protocol/proxy-protocol.ts';
import type { FrontDeps } from './front.ts';
import { inertReader } from './inert-reader.ts';
import type { Ending } from './open.ts';
import type { TurnedAway } from './ports.ts';
import type { Wire, WireReader } from './wire.ts';

/** One connection, just accepted. */
interface Arrival {
  readonly wire: Wire;
  readonly isTrusted: (address: string) => boolean;
}

class ProxyFront implements WireReader, Ending {
  readonly #deps: FrontDeps;
  readonly #wire: Wire;
  readonly #passed: (seen: Buffer) => void;
  readonly #timer: Timer;
  #bytes: Buffer = Buffer.alloc(0);
  #isOver = false;

  constructor(deps: FrontDeps, wire: Wire, passed: (seen: Buffer) => void) {
    this.#deps = deps;
    this.#wire = wire;
    this.#passed = passed;
    this.#timer = deps.clock.schedule(deps.timeouts.headMs, () => this.#turnAway('proxyTimeout'));
    deps.open.add(this);
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    this.#bytes = Buffer.concat([this.#bytes, buffer.subarray(start, end)]);
    const reading = readProxyHeader(this.#bytes);
    if (reading.kind === 'more') return;
    if (reading.kind === 'wrong') return this.#turnAway('proxyHeader');
    this.#leave();
    this.#wire.pause();
    this.#wire.reader = inertReader;
    if (reading.ends !== undefined) this.#wire.introduce(reading.ends);
    this.#passed(this.#bytes.subarray(reading.length));
  }

  // A client that only looks whether somebody listens, as monitors do, has said nothing wrong.
  ended(): void {
    if (this.#bytes.length === 0) this.destroy();
    else this.#turnAway('proxyHeader');
  }

  drained(): void {
    // Nothing has been sent.
  }

  closed(): void {
    this.#leave();
  }

  destroy(): void {
    this.#leave();
    this.#wire.destroy();
  }

  #turnAway(reason: TurnedAway): void {
    if (this.#isOver) return;
    this.#deps.events.turnedAway(reason);
    this.destroy();
  }

  #leave(): void {
    this.#isOver = true;
    this.#timer.cancel();
    this.#deps.open.remove(this);
  }
}

/** `passed` gets what was read behind the header; the wire is paused, and its ends are what the header says. */
export function readOneProxyHeader(
  deps: FrontDeps,
  { wire, isTrusted }: Arrival,
  passed: (seen: Buffer) => void,
): void {
  if (!isTrusted(wire.remoteAddress)) {
    deps.events.turnedAway('proxySource');
    wire.destroy({ reset: true });
    return;
  }
  wire.reader = new ProxyFront(deps, wire, passed);
  wire.resume();
}
