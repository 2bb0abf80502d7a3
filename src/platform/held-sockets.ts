// Sockets that this process holds for its workers: bound here, or inherited from the process before, and listened on
// there. A worker that dies leaves what has not been accepted to the others.
import { adoptSocket, bindPath, bindSocket, type BoundSocket } from './bound-socket.ts';
import type { ListeningSockets, ListenSlot } from './listening-sockets.ts';
import { listenAtPath } from './socket-file.ts';

/** One address to hold: of TCP, or a path of a UNIX socket. */
export type HeldAddress = {
  readonly name: string;
  readonly key: string;
} & ({ readonly host: string; readonly port: number } | { readonly path: string; readonly mode: number });

/** Held sockets with a lifetime: `bind`, then `close`. */
export class HeldSockets {
  readonly #sockets: ListeningSockets;
  readonly #held: { name: string; key: string; fd: number; port: number; close: () => Promise<void> }[] = [];

  constructor(sockets: ListeningSockets) {
    this.#sockets = sockets;
  }

  /** Descriptors by key. */
  get descriptors(): ReadonlyMap<string, number> {
    return new Map(this.#held.map(({ key, fd }) => [key, fd]));
  }

  /** The port of a listener; undefined when none of this name is held. */
  port(name: string): number | undefined {
    return this.#held.find((each) => each.name === name)?.port;
  }

  /** Binds, or takes over. Rejects with HERALD_LISTEN_FAILED; what was bound before is closed by `close`. */
  async bind(addresses: readonly HeldAddress[]): Promise<void> {
    for (const address of addresses) {
      const { name, key } = address;
      const slot = this.#sockets.slot(key);
      const { fd, port, close } = await ('path' in address
        ? holdPath(address, slot)
        : holdPort(address, slot));
      const release = slot.hold(fd);
      this.#held.push({
        name,
        key,
        fd,
        port,
        async close() {
          release();
          await close();
        },
      });
    }
  }

  /** Lets go of all: with the workers' copies they are free. Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#held.splice(0).map(({ close }) => close()));
  }
}

interface Hold {
  readonly fd: number;
  /** 0 for a path. */
  readonly port: number;
  close(): Promise<void>;
}

async function holdPort(at: { host: string; port: number }, { inheritedFd }: ListenSlot): Promise<Hold> {
  const { fd, port, close } = inheritedFd === undefined ? await bindSocket(at) : adoptSocket(inheritedFd);
  return { fd, port, close: async () => close() };
}

async function holdPath({ path, mode }: { path: string; mode: number }, slot: ListenSlot): Promise<Hold> {
  const held: { socket?: BoundSocket } = {};
  const server = {
    async listen(at: { path: string }) {
      held.socket = slot.inheritedFd === undefined ? bindPath(at.path) : adoptSocket(slot.inheritedFd);
    },
    stop: async () => held.socket?.close(),
  };
  const file = await listenAtPath(server, { path, mode, what: 'a listener', slot });
  return {
    // Proof of the default: it listens, so there is a socket.
    fd: held.socket?.fd ?? -1,
    port: 0,
    async close() {
      held.socket?.close();
      if (!slot.isHandedOn) await file.remove();
    },
  };
}
