// The servers that can be observed, by shape: ws and socket.io are never imported here.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

type Listener = (...values: never[]) => void;

interface Emitter {
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

/** What a WebSocket of `ws` has. */
export interface WsSocket extends Emitter {
  readonly readyState: number;
  send(...values: never[]): void;
}

/** Hands over a WebSocket whose upgrade is done. */
type UpgradeDone = (socket: WsSocket, request: IncomingMessage) => void;

/** A `WebSocketServer` of `ws`, in any of its modes. */
export interface WsServer extends Emitter {
  /** Undefined with `clientTracking: false`. */
  readonly clients?: Iterable<WsSocket>;
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: UpgradeDone): void;
}

/** A connection of engine.io, whatever transport carries it. */
export type EngineConnection = Emitter;

/** The engine beneath a Socket.IO server, or a server of engine.io itself. */
export interface EngineServer extends Emitter {
  readonly clientsCount: number;
}

/** A `Server` of Socket.IO. */
export interface SocketIoServer {
  /** Missing until the server is attached, contrary to the type that socket.io declares. */
  readonly engine?: EngineServer;
}

/** An `http.Server`, `https.Server` or any other server that emits 'upgrade' with a socket. */
export interface UpgradeServer extends Emitter {
  emit(event: string, ...values: unknown[]): boolean;
}

type Method = (...values: never[]) => unknown;

/**
 * What `agent.observe` takes: a `WebSocketServer` of ws, a `Server` of Socket.IO or engine.io, or an
 * `http.Server`. Told by members that only one of them has; parameters are `never` so that every version's
 * types fit.
 */
export type ObservableServer =
  | { readonly on: Method; readonly handleUpgrade: Method; readonly shouldHandle: Method }
  | { readonly of: Method; readonly attach: Method }
  | { readonly on: Method; readonly clientsCount: number }
  | { readonly emit: Method; readonly listen: Method };

/** Stops observing. Idempotent. */
export type Unobserve = () => void;

/** True for a Socket.IO server, also for one that is not attached yet: then `engine` is missing. */
export function isSocketIo(server: object): server is SocketIoServer {
  return has(server, 'of') && has(server, 'attach');
}

/** True for an engine. It has `handleUpgrade` as well, so this is asked before `isWsServer`. */
export function isEngine(server: object): server is EngineServer {
  return 'clientsCount' in server && has(server, 'on');
}

/** True for a `WebSocketServer` of ws. */
export function isWsServer(server: object): server is WsServer {
  return has(server, 'handleUpgrade') && has(server, 'shouldHandle');
}

/** True for an HTTP server. */
export function isUpgradeServer(server: object): server is UpgradeServer {
  return has(server, 'emit') && has(server, 'listen');
}

function has(value: object, method: string): boolean {
  return typeof Reflect.get(value, method) === 'function';
}
