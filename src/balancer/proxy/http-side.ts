// A node:http server that never listens: it parses whatever the recogniser hands over, answers what is wrong
// with it, and passes the rest to the forwarder or, for upgrades, to the gateway.
import { Buffer } from 'node:buffer';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fieldText, joinedValue, maxHeadBytes, type HeadFields } from '../../protocol/http-head.ts';
import { problemResponse } from '../../protocol/http-error.ts';
import type { Problem } from '../../protocol/problem.ts';
import { logUnrouted } from './access.ts';
import { clientOf } from './client.ts';
import type { Forwarder } from './forward.ts';
import type { Gateway, Route } from './gateway.ts';
import type { ProxyDeps } from './ports.ts';
import { requestInvalid, routeUnknown } from './problems.ts';
import { asksForWebSocket, checkHead } from './request-head.ts';
import { isWrongUpgrade, upgradeChoice, upgradeRule } from './upgrade-choice.ts';
import { respondProblem } from './respond.ts';

/** The HTTP side of a listener. */
export interface HttpSide {
  /** Takes a connection whose first bytes the socket will yield again. */
  adopt(socket: Socket): void;
  /** Closes connections between two requests; the others close with their answer. Idempotent. */
  retire(): void;
  /** Closes every connection at once. */
  stop(): void;
}

interface SideParts {
  readonly route: Route;
  readonly gateway: Gateway;
  readonly forwarder: Forwarder;
}

// After an error answer the client may still be sending; see linger.ts.
const lingerMs = 2_000;

/** The HTTP side over `deps`. */
export function createHttpSide(deps: ProxyDeps, parts: SideParts): HttpSide {
  const server = createStrictServer(deps);
  /** The answer under way on a socket: an error answer would land in the middle of it. */
  const answering = new Map<Duplex, ServerResponse>();
  const refused = new WeakSet<Duplex>();
  let isRetired = false;

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answering.set(request.socket, response);
    response.on('close', () => {
      // Pipelined requests: the latest one is the last to be answered.
      if (answering.get(request.socket) === response) answering.delete(request.socket);
      // An answer whose head had gone out before could not say that the connection closes.
      if (isRetired) server.closeIdleConnections();
    });
    if (isRetired) response.shouldKeepAlive = false;
    handleRequest(deps, parts, request, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, early: Buffer) => {
    // Pipelined behind a request whose answer is under way, its 101 would land in that answer.
    if (answering.has(socket)) socket.destroy();
    else handleUpgradeEvent({ deps, parts, server, refuse }, request, { socket, early });
  });
  server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
    if (answering.has(socket)) socket.destroy();
    else refuse(socket, requestInvalid('CONNECT is not served: this is no forward proxy'));
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // The parser repeats its error for each further read, and for the end.
    if (refused.has(socket)) return;
    const answer = answering.get(socket);
    if (answer?.writableEnded === true) endAnswered(socket);
    else if (error.code === 'ECONNRESET' || !socket.writable || answer !== undefined) socket.destroy();
    else refuse(socket, problemOfParser(error));
  });

  function refuse(socket: Duplex, problem: Problem): void {
    deps.events.refused('', problem.code);
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

  return {
    adopt: (socket) => void server.emit('connection', socket),
    retire() {
      isRetired = true;
      for (const response of answering.values()) response.shouldKeepAlive = false;
      server.closeIdleConnections();
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function createStrictServer({ timeouts }: ProxyDeps): Server {
  const server = createServer({
    headersTimeout: timeouts.headMs,
    // No limit for whole requests: an upload lasts as long as it moves; `timeout` below ends one that stands.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.max(50, Math.min(1_000, timeouts.headMs / 4)),
    keepAliveTimeout: 60_000,
    maxHeaderSize: maxHeadBytes,
    insecureHTTPParser: false,
    // Ours, since node's answer to a missing Host has no code and it takes two of them.
    requireHostHeader: false,
    ...upgradeChoice,
  });
  // For clients that stand still in the middle of a body, theirs or ours. Later than the limits on the node's
  // side, undici's coarse timers included: when the node is what stands still, the client hears so first.
  server.timeout = 2 * timeouts.requestIdleMs + 1_000;
  server.maxHeadersCount = 0;
  // The checks of head timeouts start with this event, and a server that never listens would never have it.
  server.emit('listening');
  return server;
}

function handleRequest(
  deps: ProxyDeps,
  { route, forwarder }: SideParts,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (isWrongUpgrade(request))
    return respondProblem({ deps, response, pool: '' }, requestInvalid(upgradeRule));
  const checked = checkHead(request.url ?? '', request.rawHeaders);
  if (!checked.ok) return respondProblem({ deps, response, pool: '' }, requestInvalid(checked.rule));
  // node:http finds some wrong codings only after it has announced the request. And a 1.0 recipient may not
  // know chunks, old proxies in between do not: the classic smuggling gap.
  const coding = joinedValue(request.rawHeaders, 'transfer-encoding').toLowerCase();
  if (coding !== '' && (coding !== 'chunked' || request.httpVersion !== '1.1'))
    return respondProblem(
      { deps, response, pool: '' },
      requestInvalid('the only Transfer-Encoding served is chunked, in HTTP/1.1'),
    );
  const { hostName, path } = checked.head;
  const pool = route(hostName, path);
  if (pool === undefined) {
    const { head } = checked;
    const client = clientOf(deps, { address: request.socket.remoteAddress ?? '' }, head.fields);
    logUnrouted(deps, 'http', { connection: request.socket, client, head, method: request.method ?? '' });
    return respondProblem({ deps, response, pool: '' }, routeUnknown(hostName, path));
  }
  forwarder.forward({ request, response, head: checked.head, pool });
}

interface UpgradeWay {
  readonly deps: ProxyDeps;
  readonly parts: SideParts;
  readonly server: Server;
  refuse(socket: Duplex, problem: Problem): void;
}

function handleUpgradeEvent(
  { deps, parts, server, refuse }: UpgradeWay,
  request: IncomingMessage,
  { socket, early }: { socket: Duplex; early: Buffer },
): void {
  const fields = request.rawHeaders;
  // Proof of `as`: `adopt` gave node:http a net.Socket, and it hands the same one back.
  const bare = socket as Socket;
  bare.setTimeout(0);
  bare.removeAllListeners('timeout');
  // Node 20 brings every request with an Upgrade field here. Other protocols are ignored, as RFC 9110 lets
  // us: the same head without Upgrade goes through the parser again, which then reads a body, too.
  if (!asksForWebSocket(fields) || request.httpVersion !== '1.1') {
    const line = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`;
    const head = Buffer.from(`${line}${fieldText(withoutUpgrade(fields))}\r\n`, 'latin1');
    bare.unshift(Buffer.concat([head, early]));
    server.emit('connection', bare);
    return;
  }
  if (isWrongUpgrade(request)) return refuse(bare, requestInvalid(upgradeRule));
  const checked = checkHead(request.url ?? '', fields);
  if (!checked.ok) return refuse(bare, requestInvalid(checked.rule));
  parts.gateway.handleUpgrade(deps.wireOf(bare), checked.head, early);
}

// Without the field, `Connection: upgrade` means nothing and ends at this hop anyway.
function withoutUpgrade(fields: HeadFields): string[] {
  const kept: string[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] ?? '';
    if (name.toLowerCase() !== 'upgrade') kept.push(name, fields[i + 1] ?? '');
  }
  return kept;
}

function problemOfParser(error: NodeJS.ErrnoException): Problem {
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return { code: 'HERALD_HEAD_TOO_LARGE', message: `a request head may have ${maxHeadBytes} bytes` };
  if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { code: 'HERALD_REQUEST_TIMEOUT', message: 'no whole request head in time' };
  // The parser's reason names the rule; its text is fixed and holds nothing of the request.
  const reason = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  return requestInvalid(reason);
}
