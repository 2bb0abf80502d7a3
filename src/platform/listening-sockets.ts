// The listening sockets of this process by key, and those that it inherited from the process that it replaces. Who
// listens on what is the listeners' matter.
import { closeSync } from 'node:fs';
import type { ListenOptions, Server } from 'node:net';
import { descriptorOf } from './descriptor-of.ts';

/** A place for one listening socket. */
export interface ListenSlot {
  /** The descriptor to listen on in place of binding; undefined: bind. */
  readonly inheritedFd: number | undefined;
  /** `server` listens here now. */
  bound(server: Server): void;
  /** The descriptor that others listen on is here; the answer says that it is no more. */
  hold(fd: number): () => void;
  /** Another process listens on the same socket by now: what belongs to it, such as its file, must stay. */
  readonly isHandedOn: boolean;
}

/** Every listening socket that can be handed on. */
export class ListeningSockets {
  readonly #inherited: Map<string, number>;
  readonly #taken = new Set<string>();
  readonly #servers = new Map<string, Server>();
  readonly #held = new Map<string, number>();
  readonly #handedOn = new Set<string>();

  /** `inherited`: descriptors by key, for nobody else to close; empty for a process that replaces none. */
  constructor(inherited: ReadonlyMap<string, number> = new Map()) {
    this.#inherited = new Map(inherited);
  }

  /** Keys of what was inherited and is in use here. */
  get taken(): ReadonlySet<string> {
    return this.#taken;
  }

  /** The place of this key; an inherited descriptor is given out once. */
  slot(key: string): ListenSlot {
    const inheritedFd = this.#inherited.get(key);
    const handedOn = this.#handedOn;
    this.#inherited.delete(key);
    return {
      inheritedFd,
      get isHandedOn() {
        return handedOn.has(key);
      },
      bound: (server) => {
        if (inheritedFd !== undefined) this.#taken.add(key);
        this.#servers.set(key, server);
        server.once('close', () => {
          if (this.#servers.get(key) === server) this.#servers.delete(key);
        });
      },
      hold: (fd) => {
        if (inheritedFd !== undefined) this.#taken.add(key);
        this.#held.set(key, fd);
        return () => void this.#held.delete(key);
      },
    };
  }

  /** Descriptors by key of what listens here, and of what is held for others: for a child, within the same tick. */
  descriptors(): ReadonlyMap<string, number> {
    const found = [...this.#servers].flatMap(([key, server]): [string, number][] => {
      const fd = descriptorOf(server);
      return fd === undefined ? [] : [[key, fd]];
    });
    return new Map([...found, ...this.#held]);
  }

  /** Another process has taken these over. */
  handOn(keys: Iterable<string>): void {
    for (const key of keys) this.#handedOn.add(key);
  }

  /** Closes what was inherited and nobody here listens on: an address that the new configuration has no more. */
  closeUnused(): void {
    for (const fd of this.#inherited.values()) closeSync(fd);
    this.#inherited.clear();
  }
}

/** The key of a TCP address. Port 0 is another port for each listener, so there its name tells which. */
export function tcpKey({ host, port }: { host: string; port: number }, name: string): string {
  return port === 0 ? `tcp:${host}:0:${name}` : `tcp:${host}:${port}`;
}

/** The key of a UNIX socket. */
export function unixKey(path: string): string {
  return `unix:${path}`;
}

/** Makes `server` listen on the slot's inherited descriptor, else as `options` say. */
export function listenIn(
  server: Server,
  { slot, options }: { slot: ListenSlot | undefined; options: ListenOptions },
  listening: () => void,
): void {
  const { inheritedFd } = slot ?? {};
  const isBound = () => {
    slot?.bound(server);
    listening();
  };
  // With a descriptor Node reads the backlog from the second place only. It is the queue's, shared by both processes:
  // left out, it would shrink to 511 under the old one's feet.
  if (inheritedFd === undefined) server.listen(options, isBound);
  else server.listen({ fd: inheritedFd }, options.backlog ?? defaultBacklog, isBound);
}

/** What Node asks for where nobody says otherwise. */
const defaultBacklog = 511;
