// Every undocumented name of Node that the fast wires stand on: raw TCP handles and what writes to them.
// Nothing else in the repository knows these names; transport.ts proves at start that they still do their work.
import { Socket } from 'node:net';
import type { Server } from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { loadBinding, missingHook } from './node-binding.ts';

/** A request that a handle completes later. The fields are ours; Node only calls `oncomplete`. */
export interface HandleRequest<Owner> {
  oncomplete: (this: HandleRequest<Owner>, status: number) => void;
  /** Whose request it is; keeps the owner, and with it the handle, reachable until it completes. */
  owner: Owner;
  /** Keeps the bytes of a write reachable until the kernel has taken them. */
  bytes: Buffer | undefined;
}

/** A connected or connecting TCP socket of libuv. Calls give 0 or a negative error number. */
export interface TcpHandle<Owner = unknown> {
  /** The descriptor, -1 before `bind` or `connect` and as soon as `close` was called: not to be used after that. */
  readonly fd: number;
  /** Called when bytes are in the buffer of `useUserBuffer`. Must return undefined. */
  onread: (this: TcpHandle<Owner>) => undefined;
  /** Ours: whose handle it is. (The name `owner` is taken: using it prints a deprecation.) */
  wire: Owner | undefined;
  readStart(): number;
  readStop(): number;
  /** All further reads land at the start of `buffer`, which must outlive the handle. Cannot be undone. */
  useUserBuffer(buffer: Buffer): void;
  writeBuffer(request: object, bytes: Buffer): number;
  shutdown(request: object): number;
  close(closed: (this: TcpHandle<Owner>) => void): void;
  /** Closes by RST. Refused while a shutdown is under way, and then the handle can never be closed. */
  reset(closed: (this: TcpHandle<Owner>) => void): number;
  setNoDelay(on: boolean): number;
  getpeername(into: { address?: string; port?: number }): number;
  getsockname(into: { address?: string; port?: number }): number;
  bind(address: string, port: number): number;
  bind6(address: string, port: number, flags: number): number;
  connect(request: object, address: string, port: number): number;
  connect6(request: object, address: string, port: number): number;
}

/** The undocumented part of Node, found and complete. */
export interface TcpHooks {
  createHandle<Owner>(): TcpHandle<Owner>;
  createConnect<Owner>(): HandleRequest<Owner>;
  createWrite<Owner>(): HandleRequest<Owner>;
  createShutdown<Owner>(): HandleRequest<Owner>;
  /** What the last call on any handle left behind: see the two indexes. */
  readonly streamState: Int32Array;
  readonly readIndex: number;
  readonly asyncIndex: number;
  /** The error number that stands for the end of the other half. */
  readonly endOfFile: number;
  /** Takes the handles that `server` accepts, from the tick of its 'listening' on. */
  takeAccepted<Owner>(
    server: Server,
    accept: (handle: TcpHandle<Owner>) => void,
    failed: (status: number) => void,
  ): void;
  /** A documented socket over `handle`, reading from now on. */
  toSocket(handle: object, buffer: Buffer): Socket;
}

interface Bindings {
  tcp: {
    TCP: new (kind: number) => unknown;
    TCPConnectWrap: new () => unknown;
    constants: { SOCKET: number };
  };
  stream: {
    WriteWrap: new () => unknown;
    ShutdownWrap: new () => unknown;
    streamBaseState: Int32Array;
    kReadBytesOrError: number;
    kLastWriteWasAsync: number;
  };
}

/** Finds the hooks. Throws HERALD_TRANSPORT_UNAVAILABLE naming the first that is missing. */
export function loadTcpHooks(): TcpHooks {
  const { tcp, stream } = loadBindings();
  // What the four constructors give is Node's; that it behaves as these types say is what the probe proves.
  return {
    createHandle: <Owner>() => new tcp.TCP(tcp.constants.SOCKET) as TcpHandle<Owner>,
    createConnect: <Owner>() => new tcp.TCPConnectWrap() as HandleRequest<Owner>,
    createWrite: <Owner>() => new stream.WriteWrap() as HandleRequest<Owner>,
    createShutdown: <Owner>() => new stream.ShutdownWrap() as HandleRequest<Owner>,
    streamState: stream.streamBaseState,
    readIndex: stream.kReadBytesOrError,
    asyncIndex: stream.kLastWriteWasAsync,
    endOfFile: findEndOfFile(),
    takeAccepted,
    toSocket: socketOver,
  };
}

const handleMethods = [
  'readStart readStop useUserBuffer writeBuffer shutdown close reset',
  'setNoDelay getpeername getsockname bind bind6 connect connect6',
].flatMap((line) => line.split(' '));

function loadBindings(): Bindings {
  // The types are claims about Node's inside; the checks below are their proof, and the probe that follows
  // (transport.ts) proves what no check of shapes can.
  const tcp = loadBinding('tcp_wrap') as Bindings['tcp'];
  const stream = loadBinding('stream_wrap') as Bindings['stream'];
  for (const name of ['TCP', 'TCPConnectWrap'] as const)
    if (typeof tcp[name] !== 'function') throw missingHook(`tcp_wrap.${name}`);
  for (const name of ['WriteWrap', 'ShutdownWrap'] as const)
    if (typeof stream[name] !== 'function') throw missingHook(`stream_wrap.${name}`);
  for (const name of ['kReadBytesOrError', 'kLastWriteWasAsync'] as const)
    if (typeof stream[name] !== 'number') throw missingHook(`stream_wrap.${name}`);
  if (!ArrayBuffer.isView(stream.streamBaseState)) throw missingHook('stream_wrap.streamBaseState');
  if (typeof tcp.constants?.SOCKET !== 'number') throw missingHook('tcp_wrap.constants.SOCKET');
  for (const name of handleMethods)
    if (!(name in Object(tcp.TCP.prototype))) throw missingHook(`tcp_wrap.TCP.prototype.${name}`);
  return { tcp, stream };
}

function findEndOfFile(): number {
  for (const [status, [name]] of getSystemErrorMap()) if (name === 'EOF') return status;
  throw missingHook('error number of EOF');
}

interface ListeningHandle {
  onconnection: unknown;
  setNoDelay(on: boolean): number;
}

function takeAccepted<Owner>(
  server: Server,
  accept: (handle: TcpHandle<Owner>) => void,
  failed: (status: number) => void,
): void {
  // A listening server has a handle with this property; a server that is closed has none.
  const { _handle: listening } = server as unknown as { _handle?: Partial<ListeningHandle> | null };
  if (typeof listening?.onconnection !== 'function') throw missingHook('net.Server handle onconnection');
  if (typeof listening.setNoDelay !== 'function') throw missingHook('net.Server handle setNoDelay');
  listening.setNoDelay(true);
  listening.onconnection = (status: number, handle: TcpHandle<Owner> | undefined): void => {
    if (status !== 0 || handle === undefined) failed(status);
    else accept(handle);
  };
}

/** A documented socket over any handle that reads into `buffer`, as others do. */
export function socketOver(handle: object, buffer: Buffer): Socket {
  // What is read lands in a buffer that others read into, too: the socket gets a copy.
  const callback = (size: number): boolean => socket.push(Buffer.from(buffer.subarray(0, size)));
  const onread = { buffer, callback };
  // `handle` is an option that the types leave out; net.Server builds its own sockets with it.
  const options = { handle, onread, allowHalfOpen: true, readable: true, writable: true };
  const socket = new Socket(options as unknown as ConstructorParameters<typeof Socket>[0]);
  return socket;
}
