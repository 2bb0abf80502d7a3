// What the relay needs of a TCP connection, whichever form carries it: raw handles (fast) or net.Socket (plain).
import type { Socket } from 'node:net';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { ListenSlot } from '../../platform/listening-sockets.ts';

/**
 * Who hears of a wire's events. Calls are made from the event loop, never from inside a call to the wire,
 * with one exception: `send`, `end` and `destroy` on a broken descriptor schedule `closed` for later, too.
 */
export interface WireReader {
  /**
   * Bytes `start..end` of `buffer` have arrived. The buffer may be shared by every wire of the process: it
   * is valid during this call only, and whoever keeps a byte copies it.
   */
  bytes(buffer: Buffer, start: number, end: number): void;
  /** The other side has ended its half (FIN). Called at most once; sending is still possible. */
  ended(): void;
  /** Everything that `send` kept back has been taken by the kernel. Called only after a `send` that gave false. */
  drained(): void;
  /**
   * The wire is gone. Called exactly once and last, after the owner's own `destroy`, too; `error` is what
   * ended it, undefined for `destroy` and for an orderly end (both halves ended, everything sent taken).
   */
  closed(error: NodeJS.ErrnoException | undefined): void;
}

/** Both ends of a connection: by the kernel, or by what a trusted proxy in front has said. */
export interface WireEnds {
  /** Of the other side, without brackets; '' when unknown, as for a UNIX socket. */
  readonly address: string;
  readonly port: number;
  /** Where the other side has connected to, likewise. */
  readonly localAddress: string;
  readonly localPort: number;
}

/** Where a connection comes from, as far as it matters to whom it serves. */
export interface WireOrigin {
  readonly ends: WireEnds;
  /** TLS between the other side and this process. */
  readonly isEncrypted: boolean;
}

/** One connection: TCP, a UNIX socket, or TLS over one of them. */
export interface Wire {
  /** Replaceable at any time: the head phase, the handshake and the relay each read in turn. */
  reader: WireReader;
  /**
   * Called once when the connection is gone, whoever reads it then and also after `toSocket`; undefined: nobody asks.
   * A form that cannot tell leaves it uncalled, and its listeners have no limits.
   */
  onGone?: (() => void) | undefined;
  /** Address of the other side without brackets, '' when the kernel no longer knows it. */
  readonly remoteAddress: string;
  readonly remotePort: number;
  /** A new object each time. */
  readonly ends: WireEnds;
  /** Its number at the kernel; -1 once closed, and where it is not known. */
  readonly descriptor: number;
  /** TLS between the other side and this process. */
  readonly isEncrypted: boolean;
  /** True from the moment of `destroy` or of the last event. */
  readonly isClosed: boolean;
  /** True once the other side's FIN has been read: `ended` went to whoever was the reader then. */
  readonly sawEnd: boolean;
  /**
   * Writes bytes `start..end`. True: the kernel has taken them all, or the wire is closed and nobody will.
   * False: the rest was copied and will be written; stop reading the other side until `drained`.
   * Sending again before `drained` is allowed and queues. After `end` nothing is sent any more.
   */
  send(buffer: Buffer, start: number, end: number): boolean;
  /**
   * From now on nobody else may read: the wire stays with the buffer that all wires of the process share, where its
   * form has one. A wire becomes a tunnel by this and cannot go back: `toSocket` throws. Idempotent.
   */
  useSharedBuffer(): void;
  /** Stops reading; bytes already read by the kernel stay there, so the other side is slowed down. Idempotent. */
  pause(): void;
  /** Reads (again). A new wire is paused. Idempotent. */
  resume(): void;
  /** Ends our half (FIN) after everything sent so far. Idempotent. */
  end(): void;
  /** Closes at once; what is queued is lost. With `reset`, by RST where the form can. Idempotent. */
  destroy(options?: { reset?: boolean }): void;
  /** From now on the ends are these, in place of what the kernel says. */
  introduce(ends: WireEnds): void;
  /**
   * Gives the connection to node:http or any other reader of sockets. The wire is closed to its owner
   * (no further event, not even `closed`); `seen` are bytes already read, which the socket yields first.
   * Throws HERALD_INTERNAL when the wire is closed, still dialling or has become a tunnel.
   */
  toSocket(seen: Buffer): Socket;
  /**
   * Starts TLS as its server. The wire is its owner's no more, but for `onGone` and for what the result asks of it; the
   * result is nobody's until the handshake has passed, and may be destroyed before. Undefined, and nothing has
   * happened: this form has no TLS of its own, and node:tls goes over `toSocket`. Throws as `toSocket` does.
   */
  beginTls(beginning: TlsBeginning): Wire | undefined;
}

/** A handshake to be made. */
export interface TlsBeginning {
  readonly terms: TlsTerms;
  /** What was read before: the first bytes of the handshake, or none. */
  readonly seen: Buffer;
  readonly outcome: TlsOutcome;
}

/** What a server of TLS offers and asks for. */
export interface TlsTerms {
  /** With the first certificate, and with what holds for all: versions, tickets, authorities. */
  readonly context: SecureContext;
  /** What `context` was made of. */
  readonly options: SecureContextOptions;
  /** The context with the certificate for a name, undefined for the first; absent: there is one only. */
  readonly choose?: ((name: string) => SecureContext | undefined) | undefined;
  /** For ALPN, each behind its length (RFC 7301, 3.1); empty: none is agreed upon, whatever clients offer. */
  readonly protocols: Buffer;
  /** Whether clients are asked for one. Who shows one that is not believed never passes. */
  readonly clientCertificates: 'off' | 'optional' | 'required';
}

/** What becomes of a handshake: one of `passed` and `failed` is called, once. */
export interface TlsOutcome {
  /** `wire` is what is inside: paused, and it needs a reader at once. */
  passed(wire: Wire): void;
  /** The certificate shown where none is required is not believed; `failed` follows. */
  certificateWrong(): void;
  /** The connection is gone; `error` is undefined when it was only broken off, or destroyed. */
  failed(error: NodeJS.ErrnoException | undefined): void;
}

/** A wire that is being dialled; `connected` is called once, or `closed` with the reason. */
export interface DialReader extends WireReader {
  connected(): void;
}

/** An address that a wire can be dialled to. */
export interface DialTarget {
  /** An IPv4 or IPv6 literal: names are resolved by the caller. */
  readonly host: string;
  readonly port: number;
  /** The local address to dial from, a literal of the same family; absent: the kernel's choice. */
  readonly from?: string | undefined;
}

/** Where a listener binds. */
export type BindTarget = (
  | { readonly host: string; readonly port: number }
  /** A UNIX socket; `mode` are the permissions of its file. */
  | { readonly path: string; readonly mode: number }
) & {
  /** Where its socket is kept for the next process, or comes from the last one; absent: nowhere. */
  readonly slot?: ListenSlot | undefined;
  /** Hears of each accept that failed, by the system's code, such as EMFILE; absent: nobody does. */
  readonly acceptFailed?: ((code: string) => void) | undefined;
};

/** A bound listener of one transport. */
export interface WireListener {
  /** The path for a UNIX socket. */
  readonly host: string;
  /** 0 for a UNIX socket. */
  readonly port: number;
  /** Stops accepting and frees the port; wires already accepted live on. Idempotent. */
  close(): Promise<void>;
}

/** One way of carrying bytes. Both ways pass the same contract suite. */
export interface Transport {
  readonly form: 'fast' | 'plain';
  /** Of TLS for clients: `plain` goes by node:tls over sockets. */
  readonly tlsForm: 'fast' | 'plain';
  /** Why the fast form of one or both was wanted but is not used; undefined when nothing stood in its way. */
  readonly fallbackReason: string | undefined;
  /** Throws HERALD_LISTEN_FAILED, with the system's error as cause. */
  listen(bind: BindTarget, accept: (wire: Wire) => void): Promise<WireListener>;
  /** Starts connecting. Ends by `reader.connected()` or `reader.closed(error)`; the caller bounds the time. */
  dial(target: DialTarget, reader: DialReader): Wire;
}
