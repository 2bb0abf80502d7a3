// What a connection passes before anybody reads its first request: a PROXY header, then TLS, each where the listener
// has it. Whoever does not pass is closed and counted.
import { Buffer } from 'node:buffer';
import type { ListenerTlsConfig } from '../../policy/listener-config.ts';
import { readOneProxyHeader } from './proxy-front.ts';
import type { ProxyDeps } from './ports.ts';
import { createTlsFront } from './tls-front.ts';
import type { Wire } from './wire.ts';

/** What fronts share with the rest of the listener. */
export type FrontDeps = Pick<ProxyDeps, 'clock' | 'timeouts' | 'events' | 'open'>;

/** What is in front of a listener. */
export interface FrontOptions {
  /** Undefined: plain. */
  readonly tls: TlsFrontOptions | undefined;
  /** Whose PROXY headers are believed; undefined: none are read. */
  readonly takesProxyHeader: ((address: string) => boolean) | undefined;
}

/** What TLS for clients needs beside its configuration. */
export interface TlsFrontOptions {
  readonly config: ListenerTlsConfig;
  /** The listener's: sessions and tickets are good there only. */
  readonly name: string;
  /** What is spoken inside, as ALPN calls it; undefined: anything, and clients are not asked. */
  readonly protocol: string | undefined;
  /** The keys of session tickets now: 48 bytes. Asked again now and then, since they change. */
  readonly ticketKeys: () => Buffer;
}

/** Lets connections through. */
export interface Front {
  /** Takes `wire` over; `next` gets it, or the wire over it, with what was read of what follows. */
  pass(wire: Wire, next: (wire: Wire, seen: Buffer) => void): void;
  /** New connections find this TLS; nothing changes where there was none. */
  replaceTls(config: ListenerTlsConfig): void;
  stop(): void;
}

const nothing = Buffer.alloc(0);

/** The front of one listener. Throws what node:tls says of wrong certificates. */
export function createFront(deps: FrontDeps, { tls, takesProxyHeader }: FrontOptions): Front {
  const tlsFront = tls && createTlsFront(deps, tls);
  const encrypt = (wire: Wire, seen: Buffer, next: (wire: Wire, seen: Buffer) => void) => {
    if (tlsFront === undefined) next(wire, seen);
    else tlsFront.accept(wire, seen, (secure) => next(secure, nothing));
  };
  return {
    pass(wire, next) {
      if (takesProxyHeader === undefined) return encrypt(wire, nothing, next);
      readOneProxyHeader(deps, { wire, isTrusted: takesProxyHeader }, (seen) => encrypt(wire, seen, next));
    },
    replaceTls: (config) => tlsFront?.replace(config),
    stop: () => tlsFront?.stop(),
  };
}
