// One client's requests, one after the other: each goes to a node when every answer before it has ended. A client may
// send several at once (pipelining), but a later one may rely on what an earlier one does, and would otherwise ask
// as many nodes at once as fit into a segment.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Problem } from '../../protocol/problem.ts';

/** Ends a request that turns out to be wrong after it was begun: with `problem` while that can still be told. */
export type FailRequest = (problem: Problem) => void;

interface Turn {
  readonly response: ServerResponse;
  begin: (() => FailRequest) | undefined;
  fail: FailRequest | undefined;
}

/** The requests of one connection that have no whole answer, in order. */
interface Line {
  readonly turns: Turn[];
  /** What is done when the last one has been answered; undefined: nothing. */
  last: (() => void) | undefined;
}

// No client is known to send more than eight ahead; one segment of 64 KiB holds thousands.
const maxWaiting = 100;

/** Turns of every connection of a listener. */
export class Turns {
  readonly #lines = new Map<Duplex, Line>();
  readonly #onFree: () => void;

  /** `onFree` is called when an answer has ended. */
  constructor(onFree: () => void) {
    this.#onFree = onFree;
  }

  /** Begins `request` when it is its turn. */
  take(request: IncomingMessage, response: ServerResponse, begin: () => FailRequest): void {
    const { socket } = request;
    const line = this.#lines.get(socket) ?? { turns: [], last: undefined };
    this.#lines.set(socket, line);
    const turn: Turn = { response, begin, fail: undefined };
    line.turns.push(turn);
    response.on('close', () => this.#leave(socket, line, turn));
    if (line.turns.length > maxWaiting) socket.destroy();
    else if (line.turns[0] === turn) start(turn);
  }

  /** The request read last on `socket` and not answered yet. */
  latest(socket: Duplex): (Pick<Turn, 'response'> & { fail: FailRequest | undefined }) | undefined {
    return this.#lines.get(socket)?.turns.at(-1);
  }

  /** Nothing is read any more behind the requests of `socket`: `last` runs when they have been answered. */
  close(socket: Duplex, last: () => void): void {
    const line = this.#lines.get(socket);
    if (line === undefined) return last();
    const response = line.turns.at(-1)?.response;
    if (response !== undefined) response.shouldKeepAlive = false;
    line.last ??= last;
  }

  /** Every answer under way is the last one of its connection. */
  retire(): void {
    for (const { turns } of this.#lines.values())
      for (const { response } of turns) response.shouldKeepAlive = false;
  }

  #leave(socket: Duplex, line: Line, turn: Turn): void {
    line.turns.splice(line.turns.indexOf(turn), 1);
    if (line.turns.length === 0 || socket.destroyed) {
      this.#lines.delete(socket);
      if (!socket.destroyed) line.last?.();
    } else if (line.turns[0] !== undefined) start(line.turns[0]);
    this.#onFree();
  }
}

function start(turn: Turn): void {
  const begin = turn.begin;
  turn.begin = undefined;
  if (begin !== undefined) turn.fail = begin();
}
