// TLS in front of a listener: which terms hold now, how long a handshake may take, and what is said of those that fail.
import type { Buffer } from 'node:buffer';
import type { Timer } from '../../core/clock.ts';
import type { ListenerTlsConfig } from '../../policy/listener-config.ts';
import type { FrontDeps, TlsFrontOptions } from './front.ts';
import type { Ending } from './open.ts';
import type { TurnedAway } from './ports.ts';
import { createTlsSockets, type TlsSockets } from './tls-sockets.ts';
import { termsOf } from './tls-terms.ts';
import type { TlsOutcome, TlsTerms, Wire } from './wire.ts';

/** Ends TLS of accepted connections. */
export interface TlsFront {
  /** Takes `wire` over, `seen` being what was read of it; `next` gets a wire of what is inside. */
  accept(wire: Wire, seen: Buffer, next: (wire: Wire) => void): void;
  replace(config: ListenerTlsConfig): void;
  stop(): void;
}

/** What holds for new connections. */
interface Offer {
  readonly config: ListenerTlsConfig;
  readonly terms: TlsTerms;
  /** For wires without TLS of their own. */
  readonly sockets: TlsSockets;
}

// The secret changes twice a day, on its own; looking once in ten minutes is soon enough.
const ticketCheckMs = 10 * 60 * 1000;

/** Throws what OpenSSL says of wrong certificates. */
export function createTlsFront(deps: FrontDeps, options: TlsFrontOptions): TlsFront {
  let keys = options.ticketKeys();
  let offer = offerOf(options.config);
  const rotation = deps.clock.repeat(ticketCheckMs, () => {
    const next = freshKeys(options) ?? keys;
    if (next.equals(keys)) return;
    keys = next;
    offer = offerOf(offer.config);
  });

  function offerOf(config: ListenerTlsConfig): Offer {
    const terms = termsOf(config, { keys, name: options.name, protocol: options.protocol });
    return { config, terms, sockets: createTlsSockets(terms) };
  }

  return {
    accept(wire, seen, next) {
      if (wire.isClosed) return;
      const arrival = new Arrival(deps, next);
      const beginning = { terms: offer.terms, seen, outcome: arrival };
      arrival.begin(wire.beginTls(beginning) ?? offer.sockets.accept(wire, beginning));
    },
    replace(config) {
      offer = offerOf(config);
    },
    stop: () => rotation.cancel(),
  };
}

/** One handshake, until it has passed or been turned away. */
class Arrival implements TlsOutcome, Ending {
  readonly #deps: FrontDeps;
  readonly #timer: Timer;
  readonly #next: (wire: Wire) => void;
  #connection: Pick<Ending, 'destroy'> | undefined;
  #isOver = false;

  constructor(deps: FrontDeps, next: (wire: Wire) => void) {
    this.#deps = deps;
    this.#next = next;
    this.#timer = deps.clock.schedule(deps.timeouts.headMs, () => {
      this.#turnAway('tlsTimeout');
      this.destroy();
    });
    deps.open.add(this);
  }

  begin(connection: Pick<Ending, 'destroy'>): void {
    this.#connection = connection;
  }

  passed(wire: Wire): void {
    this.#leave();
    this.#next(wire);
  }

  certificateWrong(): void {
    this.#turnAway('clientCertificate');
  }

  failed(error: NodeJS.ErrnoException | undefined): void {
    this.#turnAway(error?.code === 'ERR_SSL_HTTP_REQUEST' ? 'tlsPlain' : 'tlsHandshake');
  }

  destroy(): void {
    this.#connection?.destroy();
  }

  #turnAway(reason: TurnedAway): void {
    if (this.#isOver) return;
    this.#leave();
    this.#deps.events.turnedAway(reason);
  }

  #leave(): void {
    this.#isOver = true;
    this.#timer.cancel();
    this.#deps.open.remove(this);
  }
}

/** Undefined where the secret cannot be used now: the keys of before are better than no listener. */
function freshKeys({ ticketKeys }: TlsFrontOptions): Buffer | undefined {
  try {
    return ticketKeys();
  } catch {
    return undefined;
  }
}
