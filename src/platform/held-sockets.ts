// Sockets that this process holds for its workers: bound here, or inherited from the process before, and listened on
// there. A worker that dies leaves what has not been accepted to the others.
import { adoptSocket, bindSocket } from './bound-socket.ts';
import type { ListeningSockets } from './listening-sockets.ts';

/** One address to hold. */
export interface HeldAddress {
  readonly name: string;
  readonly key: string;
  readonly host: string;
  readonly port: number;
}

/** Held sockets with a lifetime: `bind`, then `close`. */
export class HeldSockets {
  readonly #sockets: ListeningSockets;
  readonly #held: { name: string; key: string; fd: number; port: number; close: () => void }[] = [];

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
    for (const { name, key, host, port } of addresses) {
      const slot = this.#sockets.slot(key);
      const { inheritedFd } = slot;
      const bound = inheritedFd === undefined ? await bindSocket({ host, port }) : adoptSocket(inheritedFd);
      const release = slot.hold(bound.fd);
      this.#held.push({
        name,
        key,
        fd: bound.fd,
        port: bound.port,
        close: () => {
          release();
          bound.close();
        },
      });
    }
  }

  /** Lets go of all: with the workers' copies they are free. Idempotent. */
  close(): void {
    for (const { close } of this.#held.splice(0)) close();
  }
}
