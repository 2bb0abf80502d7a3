// A TCP proxy that the test can slow down, cut or turn deaf: the network between a balancer and Redis.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

/** A link to a port of this machine. */
export interface TcpLink {
  readonly port: number;
  /** Bytes in both directions arrive this much later, ms. */
  delayMs: number;
  /** Bytes are taken and go nowhere, and nobody is told: a half-open connection. */
  isSwallowing: boolean;
  /** Resets every connection and refuses new ones until `mend`. */
  cut(): void;
  mend(): void;
  /** Connections that are open now. */
  readonly openCount: number;
}

/** Opens a link to 127.0.0.1:`toPort`; the test that asked for it ends it. */
export async function openTcpLink(toPort: number): Promise<TcpLink> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const destroyAll = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const carry = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on('error', () => {});
    from.on('close', () => {
      sockets.delete(from);
      if (!link.isSwallowing) to.destroy();
    });
    from.on('data', (bytes: Buffer) => {
      if (link.isSwallowing) return;
      if (link.delayMs === 0) to.write(bytes);
      else setTimeout(() => to.write(bytes), link.delayMs);
    });
  };
  const server = createServer((near) => {
    if (isCut) {
      near.resetAndDestroy();
      return;
    }
    const far = connect({ host: '127.0.0.1', port: toPort });
    carry(near, far);
    carry(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    destroyAll();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const link: TcpLink = {
    // Proof of `as`: bound to a TCP port.
    port: (server.address() as AddressInfo).port,
    delayMs: 0,
    isSwallowing: false,
    cut() {
      isCut = true;
      destroyAll();
    },
    mend() {
      isCut = false;
    },
    get openCount() {
      return sockets.size;
    },
  };
  return link;
}
