// The first look at an accepted connection: a canonical upgrade goes the short way to the gateway, every other
// byte goes to node:http as it came. It judges nothing: what it does not recognise, node:http judges.
import { Buffer } from 'node:buffer';
import type { Timer } from '../../core/clock.ts';
import { headEnd } from '../../protocol/http-head.ts';
import { problemResponse } from '../../protocol/http-error.ts';
import type { Problem } from '../../protocol/problem.ts';
import { logRefusal } from './access-refusal.ts';
import type { Gateway } from './gateway.ts';
import { lingerClose } from './linger.ts';
import type { Ending } from './open.ts';
import type { ProxyDeps } from './ports.ts';
import { requestInvalid } from './problems.ts';
import { webSocketSwitch } from './protocol-switch.ts';
import { recogniseUpgrade } from './request-head.ts';
import type { Wire, WireReader } from './wire.ts';

/** Where connections go from here. */
export interface Ways {
  readonly gateway: Gateway;
  /** Gives the connection to node:http together with the bytes already read. */
  replay(wire: Wire, seen: Buffer): void;
}

type RecogniserDeps = Pick<ProxyDeps, 'clock' | 'timeouts' | 'limits' | 'events' | 'open' | 'access'>;

// Browsers' upgrades with their cookies fill one segment or two. A head that needs more reads than this is
// node:http's: its parser goes on where it stopped, ours would start again at each read.
const maxReads = 4;
const firstBytes = 'GET ';
// A head of bare LFs has no end that we would see.
const bareLf = /[^\r]\n/;

class Recogniser implements WireReader, Ending {
  readonly #deps: RecogniserDeps;
  readonly #ways: Ways;
  readonly #wire: Wire;
  readonly #timer: Timer;
  #text = '';
  #reads = 0;
  #isOver = false;

  constructor(deps: RecogniserDeps, ways: Ways, wire: Wire) {
    this.#deps = deps;
    this.#ways = ways;
    this.#wire = wire;
    this.#timer = deps.clock.schedule(deps.timeouts.headMs, () => this.#late());
    deps.open.add(this);
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    this.#reads++;
    this.#text += buffer.toString('latin1', start, end);
    const at = this.#text.indexOf(headEnd);
    if (at === -1) {
      if (!this.#mayBecomeUpgrade()) this.#replay();
      return;
    }
    const headLength = at + headEnd.length;
    const isShort = headLength <= this.#deps.limits.headBytes;
    const head = isShort ? recogniseUpgrade(this.#text.slice(0, headLength)) : undefined;
    if (head === undefined) return this.#replay();
    this.#leave();
    const early = Buffer.from(this.#text.slice(headLength), 'latin1');
    this.#ways.gateway.handleUpgrade(this.#wire, { head, early, asked: webSocketSwitch });
  }

  ended(): void {
    if (this.#text === '') return this.destroy();
    this.#refuse(requestInvalid('the connection ended within the request head'));
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

  #mayBecomeUpgrade(): boolean {
    return (
      this.#reads < maxReads &&
      this.#text.length < this.#deps.limits.headBytes &&
      this.#text.slice(0, firstBytes.length) === firstBytes.slice(0, this.#text.length) &&
      !bareLf.test(this.#text)
    );
  }

  // node:http starts a head timer of its own, so a slow head has two spans at most.
  #replay(): void {
    this.#leave();
    this.#ways.replay(this.#wire, Buffer.from(this.#text, 'latin1'));
  }

  // Browsers open connections ahead of need; one that has said nothing is closed without a word.
  #late(): void {
    if (this.#text === '') return this.destroy();
    this.#refuse({
      code: 'HERALD_REQUEST_TIMEOUT',
      message: `no whole request head within ${this.#deps.timeouts.headMs} ms`,
    });
  }

  #refuse(problem: Problem): void {
    this.#leave();
    this.#deps.events.refused('', problem.code);
    const origin = () => ({ address: this.#wire.remoteAddress });
    logRefusal(this.#deps, { connection: this.#wire, origin }, problem.code);
    const answer = Buffer.from(problemResponse(problem), 'utf8');
    this.#wire.send(answer, 0, answer.length);
    lingerClose(this.#wire, this.#deps);
  }

  #leave(): void {
    this.#isOver = true;
    this.#timer.cancel();
    this.#deps.open.remove(this);
  }
}

/** Starts to read `wire`, of which `seen` has been read before. */
export function recognise(
  deps: RecogniserDeps,
  ways: Ways,
  { wire, seen }: { readonly wire: Wire; readonly seen: Buffer },
): void {
  const recogniser = new Recogniser(deps, ways, wire);
  wire.reader = recogniser;
  wire.resume();
  if (seen.length > 0) recogniser.bytes(seen, 0, seen.length);
}
