// How a connection that node:http parses comes to its end when its client breaks a rule or stands still: what is owed
// is answered, the rest is refused, and nothing of ours lands in the middle of an answer.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { problemResponse } from '../../protocol/http-error.ts';
import type { Problem } from '../../protocol/problem.ts';
import { logRefusal, uncheckedRequest } from './access-refusal.ts';
import type { Origin } from './client.ts';
import type { ProxyDeps } from './ports.ts';
import { requestInvalid } from './problems.ts';
import type { Turns } from './turns.ts';

/** The ends that a connection may come to. */
export interface HttpEndings {
  /** Answers with `problem` where no answer is under way, and closes. `request`: whose head has been read, if any. */
  refuse(socket: Duplex, problem: Problem, request?: IncomingMessage): void;
  /** The parser has given up. It repeats its error for each further read, and for the end. */
  broken(socket: Duplex, error: NodeJS.ErrnoException): void;
  /** node:http has given the socket up behind requests whose answers are under way: they are the last ones. */
  abandon(socket: Duplex): void;
  /** Nothing has moved for too long. */
  late(socket: Duplex): void;
}

// After an error answer the client may still be sending; see linger.ts.
const lingerMs = 2_000;

/** Endings for the connections of one listener. */
export function createHttpEndings(
  deps: Pick<ProxyDeps, 'clock' | 'events' | 'limits' | 'access' | 'trusted' | 'originOf'>,
  turns: Turns,
): HttpEndings {
  const refused = new WeakSet<Duplex>();

  function refuse(socket: Duplex, problem: Problem, request?: IncomingMessage): void {
    deps.events.refused('', problem.code);
    const asked = request && uncheckedRequest(request);
    logRefusal(deps, { connection: socket, origin: () => originOf(deps, socket), asked }, problem.code);
    socket.write(problemResponse(problem));
    endAnswered(socket);
  }

  function endAnswered(socket: Duplex): void {
    refused.add(socket);
    const timer = deps.clock.schedule(lingerMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => timer.cancel());
    socket.on('end', () => socket.destroy());
    socket.end();
    socket.resume();
  }

  function broken(socket: Duplex, error: NodeJS.ErrnoException): void {
    if (refused.has(socket)) return;
    const latest = turns.latest(socket);
    if (latest?.response.writableEnded === true) endAnswered(socket);
    else if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
    else if (latest === undefined) refuse(socket, problemOfParser(error, deps.limits.headBytes));
    // What follows a whole request is no request, or one too many: the answers owed come first.
    else if (latest.response.req.complete) turns.close(socket, () => endAnswered(socket));
    else if (latest.fail === undefined) socket.destroy();
    else latest.fail(problemOfParser(error, deps.limits.headBytes));
  }

  return {
    refuse,
    broken,
    abandon(socket) {
      socket.on('error', () => socket.destroy());
      socket.resume();
      turns.close(socket, () => endAnswered(socket));
    },
    late(socket) {
      const latest = turns.latest(socket);
      if (latest?.fail === undefined || latest.response.headersSent) socket.destroy();
      else latest.fail({ code: 'HERALD_REQUEST_TIMEOUT', message: 'no whole request in time' });
    },
  };
}

/** Where the connection came from that node:http knows as `socket`. */
export function originOf(deps: Pick<ProxyDeps, 'originOf'>, socket: Duplex): Origin {
  // Proof of `as`: node:http was given sockets only, and hands the same ones back.
  const { ends, isEncrypted } = deps.originOf(socket as Socket);
  return { address: ends.address, isEncrypted };
}

function problemOfParser(error: NodeJS.ErrnoException, headBytes: number): Problem {
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return { code: 'HERALD_HEAD_TOO_LARGE', message: `a request head may have ${headBytes} bytes` };
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { code: 'HERALD_REQUEST_TIMEOUT', message: 'no whole request head in time' };
  // The parser's reason names the rule; its text is fixed and holds nothing of the request.
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  return requestInvalid(reason);
}
