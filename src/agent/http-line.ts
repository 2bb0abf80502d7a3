// One kept connection to one origin with Node's own HTTP client, for reports and for pages. A sidecar does not load
// undici, whose parser takes more memory than all else that it does. What is asked, and when, is not decided here.
import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from 'node:http';
import { Agent as HttpAgent, loadHttps, request } from './node-http.ts';

/** One request. */
export interface LineRequest {
  readonly method: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | number>>;
  /** Undefined: none is sent. */
  readonly body?: string;
  /** Bounds the whole exchange; aborting closes the connection. */
  readonly signal: AbortSignal;
}

/** A connection that opens with the first request and is kept until the other side or `close` ends it. */
export interface HttpLine {
  /**
   * Asks, and gives what `read` makes of the answer. Rejects with the error of the connection, of the parser
   * (`HPE_…`) or of the abort; the first of them, which tells more than those that follow from it.
   */
  ask<Answer>(request: LineRequest, read: (answer: IncomingMessage) => Promise<Answer>): Promise<Answer>;
  /** Closes the connection at once, with what is under way on it. */
  close(): void;
}

interface Client {
  readonly send: (options: RequestOptions) => ClientRequest;
  readonly agent: Agent;
}

/** Longer than the longest interval (60 s), so that every request finds the connection open. */
const keepAliveMs = 70_000;
/** Room for cookies and tracing; Node's own limit, which the command line could change. */
const maxHeadBytes = 16 * 1024;

/** Makes a line; nothing is opened yet. */
export function openHttpLine(origin: URL): HttpLine {
  const { send, agent } = openClient(origin);
  const { hostname, port } = origin;
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  let isClosed = false;
  return {
    async ask({ body, ...asked }, read) {
      const options = { host, port, agent, maxHeaderSize: maxHeadBytes, ...asked };
      const first = await exchange(send(options), body, read);
      // The second connection is new, so there is no third; and none after `close`, which looks the same from here.
      const asksAgain = first === closedIdle && !isClosed;
      const last = asksAgain ? await exchange(send(options), body, read) : first;
      if (last === closedIdle) throw connectionClosed();
      return last;
    },
    close() {
      isClosed = true;
      agent.destroy();
    },
  };
}

function openClient({ protocol }: URL): Client {
  // With a timeout of its own the agent also heeds the shorter one that a server's Keep-Alive header names. It does
  // not end a request that is under way: `signal` does.
  const options = { keepAlive: true, maxSockets: 1, timeout: keepAliveMs };
  if (protocol === 'http:') return { send: request, agent: new HttpAgent(options) };
  const https = loadHttps();
  return { send: https.request, agent: new https.Agent(options) };
}

/**
 * An idle connection was closed in the moment when it was used again. That says nothing of the server, and pages and
 * reports may be asked for twice.
 */
const closedIdle = Symbol('closed while idle');

function exchange<Answer>(
  sent: ClientRequest,
  body: string | undefined,
  read: (answer: IncomingMessage) => Promise<Answer>,
): Promise<Answer | typeof closedIdle> {
  return new Promise((resolve, reject) => {
    let isAnswered = false;
    sent.on('error', (error: NodeJS.ErrnoException) => {
      if (!isAnswered && sent.reusedSocket && error.code === 'ECONNRESET') resolve(closedIdle);
      else reject(error);
    });
    sent.on('response', (answer) => {
      isAnswered = true;
      // Aborting destroys the answer with an error, whether or not somebody is reading.
      answer.on('error', () => {});
      read(answer).then(resolve, reject);
    });
    // Without a listener Node drops the connection and says nothing.
    sent.on('upgrade', (_, socket) => {
      socket.destroy();
      reject(connectionClosed());
    });
    sent.end(body);
  });
}

function connectionClosed(): Error {
  return Object.assign(new Error('closed before the answer was whole'), { code: 'ECONNRESET' });
}

/** A body within its limit, or as much of it as the limit allows, and then its connection is closed. */
export interface LimitedBody {
  readonly bytes: Buffer;
  readonly isWhole: boolean;
}

/** Reads a body up to `maxBytes`. Rejects when it ends before its end. */
export async function readLimited(answer: IncomingMessage, maxBytes: number): Promise<LimitedBody> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer) {
    // Proof of the cast: an answer without an encoding gives buffers.
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    // Leaving the loop destroys the answer and its connection.
    if (length > maxBytes) return { bytes: Buffer.concat(chunks).subarray(0, maxBytes), isWhole: false };
  }
  return { bytes: Buffer.concat(chunks), isWhole: true };
}
