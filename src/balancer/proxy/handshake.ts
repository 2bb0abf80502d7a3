// The HTTP part of an upgrade with one node: our request out, the head of its answer in, within one time limit.
import { Buffer } from 'node:buffer';
import type { Timer } from '../../core/clock.ts';
import { headEnd, maxHeadBytes } from '../../protocol/http-head.ts';
import type { DialFailure } from '../state/ports.ts';
import { parseAnswer, type AnswerHead } from './answer-head.ts';
import type { Stage } from './dial.ts';
import { failureOf } from './failure.ts';
import type { ProxyDeps } from './ports.ts';
import type { Wire, WireReader } from './wire.ts';

/** Exactly one of the two is called, once, unless the stage was aborted. */
export interface HandshakeOutcome {
  /** The wire is the caller's and reads on: it needs a reader, or a pause, at once. `rest` is what came behind the head. */
  answered(answer: AnswerHead, rest: Buffer): void;
  failed(reason: DialFailure, error: unknown): void;
}

type HandshakeDeps = Pick<ProxyDeps, 'clock' | 'timeouts'>;

interface AskedNode {
  readonly wire: Wire;
  readonly protocol: string;
}

class Handshake implements WireReader, Stage {
  readonly #wire: Wire;
  readonly #protocol: string;
  readonly #outcome: HandshakeOutcome;
  readonly #timer: Timer;
  #text = '';
  #isSettled = false;

  constructor(deps: HandshakeDeps, { wire, protocol }: AskedNode, outcome: HandshakeOutcome) {
    this.#wire = wire;
    this.#protocol = protocol;
    this.#outcome = outcome;
    this.#timer = deps.clock.schedule(deps.timeouts.handshakeMs, () => this.#fail('timeout', undefined));
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    if (this.#isSettled) return;
    this.#text += buffer.toString('latin1', start, end);
    let headLength = this.#headLength();
    while (headLength !== -1) {
      const answer = parseAnswer(this.#text.slice(0, headLength), this.#protocol);
      if (headLength > maxHeadBytes || answer === undefined) return this.#fail('handshake', undefined);
      if (answer.status >= 200 || answer.status === 101) return this.#answered(answer, headLength);
      // 100, 102, 103: the answer proper follows. They tell nothing to a client that waits for a 101.
      this.#text = this.#text.slice(headLength);
      headLength = this.#headLength();
    }
    if (this.#text.length > maxHeadBytes) this.#fail('handshake', undefined);
  }

  ended(): void {
    // A node that closes without a byte is dying or full; one that stops within its head is broken.
    this.#fail(this.#text === '' ? 'reset' : 'handshake', undefined);
  }

  drained(): void {
    // The request is on its way; only the answer matters.
  }

  closed(error: NodeJS.ErrnoException | undefined): void {
    this.#fail(error === undefined ? 'reset' : failureOf(error), error);
  }

  abort(): void {
    this.#settle();
    this.#wire.destroy();
  }

  #headLength(): number {
    const at = this.#text.indexOf(headEnd);
    return at === -1 ? -1 : at + headEnd.length;
  }

  #answered(answer: AnswerHead, headLength: number): void {
    this.#settle();
    this.#outcome.answered(answer, Buffer.from(this.#text.slice(headLength), 'latin1'));
  }

  #fail(reason: DialFailure, error: unknown): void {
    if (this.#isSettled) return;
    this.abort();
    this.#outcome.failed(reason, error);
  }

  #settle(): void {
    this.#isSettled = true;
    this.#timer.cancel();
  }
}

/** Sends `request`, a whole head that asks for `protocol`, to the node at `wire` and reads its answer. */
export function shakeHands(
  deps: HandshakeDeps,
  wire: Wire,
  { request, protocol }: { readonly request: Buffer; readonly protocol: string },
  outcome: HandshakeOutcome,
): Stage {
  const handshake = new Handshake(deps, { wire, protocol }, outcome);
  wire.reader = handshake;
  wire.send(request, 0, request.length);
  wire.resume();
  return handshake;
}
