// A listening socket that this process binds and holds for others: it accepts nothing itself. Who listens on it is a
// child that inherits the descriptor.
import { lookup } from 'node:dns/promises';
import net from 'node:net';
import { getSystemErrorMap } from 'node:util';
import { HeraldError } from '../core/error.ts';

/** A socket that is bound, and on which nobody listens yet. */
export interface BoundSocket {
  readonly fd: number;
  /** The address that it has; IPv6 without brackets. */
  readonly host: string;
  /** The port that it has, also where 0 was asked for. */
  readonly port: number;
  /** Lets go; children that have inherited it keep theirs. Idempotent. */
  close(): void;
}

interface Handle {
  readonly fd: number;
  getsockname(out: { address?: string; port?: number }): number;
  close(): void;
}

type CreateHandle = (
  address: string | null,
  port: number | null,
  addressType: 4 | 6 | -1 | null,
  fd?: number,
) => Handle | number;

/** Binds a TCP address; names are looked up. Rejects with HERALD_LISTEN_FAILED. */
export async function bindSocket({ host, port }: { host: string; port: number }): Promise<BoundSocket> {
  try {
    const { address, family } = await lookup(host);
    return held(createHandle()(address, port, family === 6 ? 6 : 4));
  } catch (cause) {
    throw new HeraldError(
      'HERALD_LISTEN_FAILED',
      `cannot listen on ${host} port ${port}: ${cause instanceof Error ? cause.message : String(cause)}`,
      { host, port },
      { cause },
    );
  }
}

/** A descriptor that was inherited, as if it had been bound here. Throws HERALD_LISTEN_FAILED. */
export function adoptSocket(fd: number): BoundSocket {
  try {
    return held(createHandle()(null, null, null, fd));
  } catch (cause) {
    throw new HeraldError(
      'HERALD_LISTEN_FAILED',
      `cannot go on with an inherited socket: ${cause instanceof Error ? cause.message : String(cause)}`,
      { fd },
      { cause },
    );
  }
}

/** Binds a UNIX socket at a path, before it returns. Throws what the system says. */
export function bindPath(path: string): BoundSocket {
  return held(createHandle()(path, -1, -1));
}

function held(handle: Handle | number): BoundSocket {
  if (typeof handle === 'number') throw new Error(describeErrno(handle));
  const name: { address?: string; port?: number } = {};
  // Binding tells of an address that is taken only when it is asked for its name.
  const failure = handle.getsockname(name);
  if (failure !== 0) {
    handle.close();
    throw new Error(describeErrno(failure));
  }
  let isOpen = true;
  return {
    fd: handle.fd,
    host: name.address ?? '',
    port: name.port ?? 0,
    close() {
      if (isOpen) handle.close();
      isOpen = false;
    },
  };
}

/** Node's cluster binds for its workers by this, under this name since 2013; it is not documented. */
function createHandle(): CreateHandle {
  const create: unknown = Reflect.get(net, '_createServerHandle');
  if (typeof create !== 'function')
    throw new Error('this Node.js cannot bind a socket for others: set `workers: 0`');
  // Proof of the cast: the arguments and results are those that cluster uses; a test binds by it on every version.
  return create as CreateHandle;
}

function describeErrno(code: number): string {
  const [name, text] = getSystemErrorMap().get(code) ?? ['UNKNOWN', `error ${code}`];
  return `${name}: ${text}`;
}
