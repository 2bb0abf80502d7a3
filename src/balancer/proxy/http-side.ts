// A node:http server that never listens: it parses whatever the recogniser hands over, answers what is wrong
// with it, and passes the rest to the forwarder or, for upgrades, to the gateway.
import { Buffer } from 'node:buffer';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { fieldText, type HeadFields } from '../../protocol/http-head.ts';
import type { Problem } from '../../protocol/problem.ts';
import { logRefusal, uncheckedRequest, type RefusedRequest } from './access-refusal.ts';
import type { Forwarder } from './forward.ts';
import type { Gateway, Route } from './gateway.ts';
import type { ProxyDeps } from './ports.ts';
import { bodyTooLarge, requestInvalid, routeUnknown, tooMany } from './problems.ts';
import { forwardedSeat } from './door.ts';
import { checkHead } from './request-head.ts';
import { isWrongUpgrade, switchOf, upgradeChoice, upgradeRule } from './upgrade-choice.ts';
import { createHttpEndings, originOf } from './http-endings.ts';
import { asksForServer, checkRequest } from './request-rules.ts';
import { respondProblem } from './respond.ts';
import { Turns, type FailRequest } from './turns.ts';

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

/** The HTTP side over `deps`. */
export function createHttpSide(deps: ProxyDeps, parts: SideParts): HttpSide {
  const server = createStrictServer(deps);
  let isRetired = false;
  const turns = new Turns(() => {
    // An answer whose head had gone out before could not say that the connection closes.
    if (isRetired) server.closeIdleConnections();
  });
  const endings = createHttpEndings(deps, turns);

  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (isRetired) response.shouldKeepAlive = false;
    turns.take(request, response, () => handleRequest(deps, parts, request, response));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, early: Buffer) => {
    if (turns.latest(socket) !== undefined) endings.abandon(socket);
    else handleUpgradeEvent({ deps, parts, server, refuse: endings.refuse }, request, { socket, early });
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex) => {
    if (turns.latest(socket) !== undefined) endings.abandon(socket);
    else endings.refuse(socket, requestInvalid('CONNECT is not served: this is no forward proxy'), request);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => endings.broken(socket, error));
  server.on('timeout', (socket: Socket) => endings.late(socket));

  return {
    adopt: (socket) => void server.emit('connection', socket),
    retire() {
      isRetired = true;
      turns.retire();
      server.closeIdleConnections();
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function createStrictServer({ timeouts, limits }: ProxyDeps): Server {
  const server = createServer({
    headersTimeout: timeouts.headMs,
    // No limit for whole requests: an upload lasts as long as it moves; `timeout` below ends one that stands.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.max(50, Math.min(1_000, timeouts.headMs / 4)),
    keepAliveTimeout: timeouts.keepAliveMs,
    maxHeaderSize: limits.headBytes,
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
): FailRequest {
  const origin = () => originOf(deps, request.socket);
  const refuse = (problem: Problem, asked: RefusedRequest): FailRequest => {
    logRefusal(deps, { connection: request.socket, origin, asked }, problem.code);
    respondProblem({ deps, response, pool: '' }, problem);
    return () => request.socket.destroy();
  };
  const checked = checkRequest(request);
  if (!checked.ok) return refuse(requestInvalid(checked.rule), uncheckedRequest(request));
  if (asksForServer(request)) {
    response.writeHead(204).end();
    return () => request.socket.destroy();
  }
  const { head } = checked;
  const pool = route(head.hostName, head.path);
  const asked = (): RefusedRequest => ({
    kind: 'http',
    method: request.method ?? '',
    head,
    pool: pool ?? '',
  });
  if (pool === undefined) return refuse(routeUnknown(head.hostName, head.path), asked());
  const seat = forwardedSeat(deps, origin(), head.fields);
  if (typeof seat === 'string') return refuse(tooMany(seat, deps.rng), asked());
  if (seat !== undefined) response.once('close', () => seat.leave());
  if (Number(request.headers['content-length'] ?? 0) > deps.limits.bodyBytes)
    return refuse(bodyTooLarge(deps.limits.bodyBytes), asked());
  return forwarder.forward({ request, response, head, pool });
}

interface UpgradeWay {
  readonly deps: ProxyDeps;
  readonly parts: SideParts;
  readonly server: Server;
  refuse(socket: Duplex, problem: Problem, request: IncomingMessage): void;
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
  if (isWrongUpgrade(request)) return refuse(bare, requestInvalid(upgradeRule), request);
  // Node 20 brings every request with an Upgrade field here. What no node is asked for is ignored, as RFC 9110 lets
  // us: the same head without Upgrade goes through the parser again, which then reads a body, too.
  const asked = switchOf(request);
  if (asked === undefined) {
    const line = `${request.method} ${request.url} HTTP/${request.httpVersion}\r\n`;
    const head = Buffer.from(`${line}${fieldText(withoutUpgrade(fields))}\r\n`, 'latin1');
    bare.unshift(Buffer.concat([head, early]));
    server.emit('connection', bare);
    return;
  }
  const checked = checkHead(request.url ?? '', fields);
  if (!checked.ok) return refuse(bare, requestInvalid(checked.rule), request);
  parts.gateway.handleUpgrade(deps.wireOf(bare), { head: checked.head, early, asked });
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
