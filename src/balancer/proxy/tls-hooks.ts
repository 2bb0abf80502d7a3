// Every undocumented name of Node that TLS on raw handles stands on. tls-probe.ts proves that they do their work.
import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import { loadBinding, missingHook } from './node-binding.ts';
import { socketOver } from './tcp-hooks.ts';

/** The inside of a TLS connection over a TCP handle: what is read is decrypted, what is written gets encrypted. */
export interface TlsHandle<Owner = unknown> {
  /** Called when bytes are in the buffer of `useUserBuffer`, several times for one read of the TCP handle. */
  onread: (this: TlsHandle<Owner>) => undefined;
  /** Called when the handshake is over, from inside of OpenSSL. */
  onhandshakedone: (this: TlsHandle<Owner>) => void;
  /** Called when TLS has failed, whenever that is. */
  onerror: (this: TlsHandle<Owner>, error: NodeJS.ErrnoException) => void;
  /** After `enableCertCb`: called when the name is known that the client asks for, '' without one. */
  oncertcb: (this: TlsHandle<Owner>, asked: { servername: string }) => void;
  /** For `certCbDone`: the native part of the context to go on with; undefined: the first one. */
  sni_context: unknown;
  /** Ours: whose handle it is. */
  wire: Owner | undefined;
  /** Ours and of node:net, which asks it for addresses. */
  _parent: TcpCarrier;
  /** Ours: what node:net calls to close it. */
  close: (this: Closing, closed?: () => void) => void;
  /** Ours: `close` ends the connection by RST. */
  closesByReset: boolean;
  readStart(): number;
  readStop(): number;
  useUserBuffer(buffer: Buffer): void;
  /** Takes the bytes at once and completes in a later turn. A second one before that aborts the process. */
  writeBuffer(request: object, bytes: Buffer): number;
  /** Says close_notify and ends the half of TCP. */
  shutdown(request: object): number;
  /** Takes bytes as if they had been read. */
  receive(bytes: Buffer): void;
  setVerifyMode(requestsCertificate: boolean, requiresCertificate: boolean): void;
  setALPNProtocols(protocols: Buffer): void;
  enableCertCb(): void;
  certCbDone(): void;
  /** Why the certificate of the other side is not believed; null when it is. */
  verifyError(): Error | null | undefined;
  getPeerCertificate(abbreviated: boolean): object | undefined;
  /** Frees what OpenSSL holds; not from inside of one of its calls. */
  destroySSL(): void;
}

/** The undocumented part of Node for TLS, found and complete. */
export interface TlsHooks {
  /** The server's side of TLS over `handle`, which must not be used for bytes any more. */
  wrap<Owner>(handle: TcpCarrier, context: SecureContext): TlsHandle<Owner>;
  /** A documented socket over `handle`, reading from now on. */
  toSocket(handle: object, buffer: Buffer): Socket;
}

/** What TLS lies on. */
export interface TcpCarrier {
  close(closed: () => void): void;
  reset(closed: () => void): number;
}

type Closing = Pick<TlsHandle, '_parent' | 'closesByReset' | 'destroySSL'>;

interface TlsBinding {
  wrap: (...args: unknown[]) => unknown;
  TLSWrap: { readonly prototype: object };
}

const handleMethods = [
  'readStart readStop useUserBuffer writeBuffer shutdown receive setVerifyMode setALPNProtocols',
  'enableCertCb certCbDone verifyError getPeerCertificate destroySSL onread',
].flatMap((line) => line.split(' '));

/** Finds the hooks. Throws HERALD_TRANSPORT_UNAVAILABLE naming the first that is missing. */
export function loadTlsHooks(): TlsHooks {
  // A claim about Node's inside, which the checks below and the probe prove.
  const binding = loadBinding('tls_wrap') as TlsBinding;
  if (typeof binding.wrap !== 'function') throw missingHook('tls_wrap.wrap');
  for (const name of handleMethods)
    if (!(name in Object(binding.TLSWrap?.prototype)))
      throw missingHook(`tls_wrap.TLSWrap.prototype.${name}`);
  checkWrap(binding);
  return {
    wrap<Owner>(handle: TcpCarrier, context: SecureContext) {
      const wrapped = binding.wrap(handle, nativeOf(context), true, false) as TlsHandle<Owner>;
      wrapped._parent = handle;
      wrapped.close = close;
      wrapped.closesByReset = false;
      return wrapped;
    },
    toSocket: socketOver,
  };
}

/** What OpenSSL knows of `context`. */
export function nativeOf(context: SecureContext): unknown {
  return context.context;
}

/** Another number of arguments would abort the process: node:tls is watched calling it. */
function checkWrap(binding: TlsBinding): void {
  const { wrap } = binding;
  let seen: readonly unknown[] = [];
  binding.wrap = (...args) => {
    seen = args;
    return wrap.apply(binding, args);
  };
  try {
    // Types ask for a socket; without one, node:tls makes a handle of its own, as for a client that will connect.
    const socket = new TLSSocket(undefined as unknown as Socket, {
      isServer: true,
      secureContext: createSecureContext(),
    });
    socket.destroy();
  } finally {
    binding.wrap = wrap;
  }
  const [, , isServer, hasWrites] = seen;
  if (seen.length !== 4 || isServer !== true || hasWrites !== false)
    throw missingHook('tls_wrap.wrap of four arguments');
}

/** As node:tls does: what OpenSSL holds is freed when TCP has closed. */
function close(this: Closing, closed?: () => void): void {
  const done = (): void => {
    this.destroySSL();
    closed?.();
  };
  if (!this.closesByReset) this._parent.close(done);
  else if (this._parent.reset(done) !== 0) this._parent.close(done);
}

/** Ends `socket` by RST when it is one of `toSocket`; false when it is none. */
export function resetTlsSocket(socket: Socket): boolean {
  const { _handle: handle } = socket as unknown as { _handle?: Partial<TlsHandle> | null };
  if (handle?.closesByReset === undefined) return false;
  handle.closesByReset = true;
  socket.destroy();
  return true;
}
