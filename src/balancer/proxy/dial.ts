// One attempt to connect to one node: name, address, connection, all within one time limit.
import type { Timer } from '../../core/clock.ts';
import type { DialFailure, PlacedNode } from '../state/ports.ts';
import { failureOf } from './failure.ts';
import type { ProxyDeps } from './ports.ts';
import { isSourceExhausted } from './source-addresses.ts';
import type { DialReader, Wire } from './wire.ts';

/** A stage of an upgrade; `abort` ends it silently and closes its wire. Idempotent. */
export interface Stage {
  abort(): void;
}

/** Exactly one of the two is called, once, unless the stage was aborted. */
export interface DialOutcome {
  /** The wire is the caller's, paused, and needs a reader at once. */
  connected(wire: Wire): void;
  failed(reason: DialFailure, error: unknown): void;
}

type DialDeps = Pick<ProxyDeps, 'transport' | 'resolve' | 'sources' | 'clock' | 'timeouts'>;

class Dial implements DialReader, Stage {
  readonly #outcome: DialOutcome;
  readonly #timer: Timer;
  #wire: Wire | undefined;
  /** Local addresses not tried yet. */
  #sources: (string | undefined)[] = [];
  #dialNext: ((from: string | undefined) => void) | undefined;
  #isSettled = false;

  constructor(deps: DialDeps, node: PlacedNode, outcome: DialOutcome) {
    this.#outcome = outcome;
    this.#timer = deps.clock.schedule(deps.timeouts.dialMs, () => this.#fail('timeout', undefined));
    deps.resolve(node.host, (error, host) => {
      if (this.#isSettled) return;
      if (error !== undefined) return this.#fail(failureOf(error), error);
      this.#sources = [...deps.sources.forDial(host)];
      this.#dialNext = (from) => (this.#wire = deps.transport.dial({ host, port: node.port, from }, this));
      this.#dialNext(this.#sources.shift());
    });
  }

  connected(): void {
    if (this.#isSettled || this.#wire === undefined) return;
    this.#settle();
    this.#outcome.connected(this.#wire);
  }

  closed(error: NodeJS.ErrnoException | undefined): void {
    if (this.#isSettled) return;
    if (this.#sources.length > 0 && isSourceExhausted(error)) this.#dialNext?.(this.#sources.shift());
    else this.#fail(failureOf(error), error);
  }

  bytes(): void {
    // The wire is paused until it is connected and handed on.
  }

  ended(): void {
    // Comes as bytes do: to the next reader.
  }

  drained(): void {
    // Nothing was sent.
  }

  abort(): void {
    this.#settle();
    this.#wire?.destroy();
  }

  #fail(reason: DialFailure, error: unknown): void {
    this.abort();
    this.#outcome.failed(reason, error);
  }

  #settle(): void {
    this.#isSettled = true;
    this.#timer.cancel();
  }
}

/** Starts to dial `node`. The outcome may come before this returns only when the name lookup fails at once. */
export function dialNode(deps: DialDeps, node: PlacedNode, outcome: DialOutcome): Stage {
  return new Dial(deps, node, outcome);
}
