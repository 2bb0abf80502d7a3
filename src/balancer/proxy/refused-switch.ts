// A node's answer to an upgrade that is no 101: passed on to its end, then the client's connection closes.
import type { Buffer } from 'node:buffer';
import { BodyEnd } from '../../protocol/body-end.ts';
import type { Timer } from '../../core/clock.ts';
import type { AnswerHead } from './answer-head.ts';
import { lingerClose } from './linger.ts';
import type { Ending } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import type { Wire, WireReader } from './wire.ts';

type PassDeps = Pick<ProxyDeps, 'clock' | 'timeouts' | 'open'>;

interface PassedAnswer {
  readonly client: Wire;
  readonly node: Wire;
  readonly answer: AnswerHead;
  /** Called once, when the node's part is over. */
  onEnd(): void;
}

class RefusedSwitch implements Ending {
  readonly #deps: PassDeps;
  readonly #passed: PassedAnswer;
  readonly #body: BodyEnd;
  #timer: Timer;
  #isOver = false;

  constructor(deps: PassDeps, passed: PassedAnswer) {
    this.#deps = deps;
    this.#passed = passed;
    this.#body = new BodyEnd(passed.answer.body);
    this.#timer = this.#idleTimer();
    deps.open.add(this);
    passed.client.reader = this.#clientReader();
    passed.node.reader = this.#nodeReader();
  }

  /** Passes what came behind the head, then reads on. */
  start(rest: Buffer): void {
    this.#pass(rest, 0, rest.length);
    if (this.#isOver) return;
    this.#passed.client.resume();
    this.#passed.node.resume();
  }

  destroy(): void {
    this.#end();
    this.#passed.client.destroy();
  }

  #clientReader(): WireReader {
    return {
      bytes: () => {
        // Frames sent in the hope of a 101; nobody will read them.
      },
      ended: () => this.destroy(),
      drained: () => this.#passed.node.resume(),
      closed: () => this.destroy(),
    };
  }

  #nodeReader(): WireReader {
    return {
      bytes: (buffer, start, end) => this.#pass(buffer, start, end),
      ended: () => this.#nodeGone(),
      drained: () => {
        // The request was all that we send.
      },
      closed: (error) => (error === undefined ? this.#nodeGone() : this.destroy()),
    };
  }

  #pass(buffer: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    this.#timer.cancel();
    this.#timer = this.#idleTimer();
    const bodyEnd = this.#body.consume(buffer, start, end);
    const taken = this.#passed.client.send(buffer, start, bodyEnd);
    if (this.#body.isBroken) return this.destroy();
    if (this.#body.isEnded) return this.#finish(taken);
    if (!taken) this.#passed.node.pause();
  }

  // Without the body's end seen, the client must not take what it has for the whole.
  #nodeGone(): void {
    if (this.#isOver) return;
    if (this.#body.endsWithConnection) this.#finish(false);
    else this.destroy();
  }

  #finish(isTaken: boolean): void {
    this.#end();
    lingerClose(this.#passed.client, this.#deps, isTaken ? undefined : this.#deps.timeouts.requestIdleMs);
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#timer.cancel();
    this.#deps.open.remove(this);
    this.#passed.node.destroy();
    this.#passed.onEnd();
  }

  #idleTimer(): Timer {
    return this.#deps.clock.schedule(this.#deps.timeouts.requestIdleMs, () => this.destroy());
  }
}

/** Takes both wires over; the answer's head has been sent to the client. */
export function passRefusedSwitch(deps: PassDeps, passed: PassedAnswer, rest: Buffer): void {
  new RefusedSwitch(deps, passed).start(rest);
}
