// One attempt to connect to one node: name, address, connection, what comes first on it (a PROXY header, TLS), all
// within one time limit.
import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { Timer } from '../../core/clock.ts';
import { headerFor, nodeTlsError, type NodeLink, type NodeTls } from '../../platform/node-links.ts';
import type { DialFailure, PlacedNode } from '../state/ports.ts';
import { failureOf } from './failure.ts';
import type { ProxyDeps } from './ports.ts';
import { wireOverSocket } from './plain-wire.ts';
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

/** Where to, and how it begins. */
export interface DialledNode extends Pick<PlacedNode, 'host' | 'port'> {
  /** Absent: nothing comes first. */
  readonly link?: NodeLink;
  /** Whom the connection is for; absent: for ourselves. Its ends are asked for only where the node is told: they cost system calls. */
  readonly client?: Pick<Wire, 'ends'>;
}

type DialDeps = Pick<ProxyDeps, 'transport' | 'resolve' | 'sources' | 'clock' | 'timeouts'>;

class Dial implements DialReader, Stage {
  readonly #node: DialledNode;
  readonly #outcome: DialOutcome;
  readonly #timer: Timer;
  #wire: Wire | undefined;
  #secure: Socket | undefined;
  /** Local addresses, and how many of them have been tried. */
  #sources: readonly (string | undefined)[] = [];
  #tried = 0;
  #dialNext: (() => void) | undefined;
  #isSettled = false;

  constructor(deps: DialDeps, node: DialledNode, outcome: DialOutcome) {
    this.#node = node;
    this.#outcome = outcome;
    this.#timer = deps.clock.schedule(deps.timeouts.dialMs, () => this.#fail('timeout', undefined));
    deps.resolve(node.host, (error, host) => {
      if (this.#isSettled) return;
      if (error !== undefined) return this.#fail(failureOf(error), error);
      this.#sources = deps.sources.forDial(host);
      this.#dialNext = () => {
        const from = this.#sources[this.#tried++];
        this.#wire = deps.transport.dial({ host, port: node.port, from }, this);
      };
      this.#dialNext();
    });
  }

  connected(): void {
    const wire = this.#wire;
    if (this.#isSettled || wire === undefined) return;
    const { link, client } = this.#node;
    const isTold = link !== undefined && link.proxyProtocol !== 'off';
    const header = isTold ? headerFor(link, client?.ends ?? 'own') : undefined;
    if (header !== undefined) wire.send(header, 0, header.length);
    if (link?.tls === undefined) return this.#connected(wire);
    this.#encrypt(wire.toSocket(Buffer.alloc(0)), link.tls);
  }

  closed(error: NodeJS.ErrnoException | undefined): void {
    if (this.#isSettled) return;
    if (this.#tried < this.#sources.length && isSourceExhausted(error)) this.#dialNext?.();
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
    this.#secure?.destroy();
  }

  #encrypt(carrier: Socket, tls: NodeTls): void {
    const secure = tls.begin(carrier, this.#node);
    let failure: Error | undefined;
    const noted = (error: Error): void => {
      failure = error;
    };
    const closed = (): void => {
      if (!this.#isSettled) this.#fail('tls', nodeTlsError(this.#node, failure));
    };
    this.#secure = secure;
    secure.on('error', noted);
    secure.once('close', closed);
    secure.once('secureConnect', () => {
      if (this.#isSettled) return;
      secure.off('error', noted);
      secure.off('close', closed);
      this.#connected(wireOverSocket(secure));
    });
  }

  #connected(wire: Wire): void {
    this.#settle();
    this.#outcome.connected(wire);
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
export function dialNode(deps: DialDeps, node: DialledNode, outcome: DialOutcome): Stage {
  return new Dial(deps, node, outcome);
}
