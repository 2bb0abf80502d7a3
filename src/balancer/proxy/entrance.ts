// The way of a connection from the listening socket to its first reader: the door, which counts it; what stands in
// front; and the door again where a PROXY header has named the client.
import type { Buffer } from 'node:buffer';
import type { ListenerTlsConfig } from '../../policy/listener-config.ts';
import { createDoor, type DoorDeps } from './door.ts';
import { createFront, type FrontDeps, type FrontOptions } from './front.ts';
import type { Wire } from './wire.ts';

/** What is entered. */
export interface EntranceOptions {
  readonly front: FrontOptions;
  /** Whether clients understand an answer in HTTP; others are reset. */
  readonly speaksHttp: boolean;
}

/** The entrance of one listener. */
export interface Entrance {
  /** Takes `wire`, just accepted; `next` gets it, or the wire over it, with what was read of what follows. */
  enter(wire: Wire, next: (wire: Wire, seen: Buffer) => void): void;
  /** New connections find this TLS; nothing changes where there was none. */
  replaceTls(config: ListenerTlsConfig): void;
  stop(): void;
}

/** An entrance. Throws what node:tls says of wrong certificates. */
export function createEntrance(
  deps: FrontDeps & DoorDeps,
  { front: options, speaksHttp }: EntranceOptions,
): Entrance {
  const door = createDoor(deps);
  const front = createFront(deps, options);
  const isNamed = options.takesProxyHeader !== undefined;
  // A handshake is dear, and without one nothing can be said to whoever awaits it.
  const isToldFirst = speaksHttp && options.tls === undefined;
  return {
    enter(wire, next) {
      if (!door.admits(wire, isToldFirst)) return;
      front.pass(wire, (passed, seen) => {
        if (!isNamed || door.admitsNamed(passed, speaksHttp)) next(passed, seen);
      });
    },
    replaceTls: (config) => front.replaceTls(config),
    stop: () => front.stop(),
  };
}
