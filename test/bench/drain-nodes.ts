// The nodes of `npm run bench:drain`, in a process of their own: real `ws` servers with Herald's agent, whose capacity
// is modelled, since two cores cannot be four machines. A connection's cost comes in its path.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { createAgent } from '../../src/agent/agent.ts';

/** What the parent tells: nodes to start, with the cost that fills each. */
export interface NodesStart {
  readonly intake: string;
  readonly nodes: readonly { readonly id: string; readonly capacity: number }[];
}

/** What the parent hears every 100 ms: the true utilization of each node, and closes by code. */
export interface NodesSeen {
  readonly utilization: Readonly<Record<string, number>>;
  readonly open: Readonly<Record<string, number>>;
  readonly closes: Readonly<Record<string, number>>;
}

process.once('message', (message: NodesStart) => void start(message));

async function start({ intake, nodes }: NodesStart): Promise<void> {
  const closes: Record<string, number> = {};
  const started = await Promise.all(
    nodes.map(async ({ id, capacity }) => {
      const server = createServer();
      const sockets = new WebSocketServer({ server, perMessageDeflate: false });
      let load = 0;
      sockets.on('connection', (socket, request) => {
        const cost = Number(new URL(request.url ?? '/', 'http://node').searchParams.get('cost'));
        load += cost;
        socket.on('error', () => {});
        socket.on('message', (data) => socket.send(data, { binary: false }));
        socket.on('close', (code) => {
          load -= cost;
          closes[code] = (closes[code] ?? 0) + 1;
        });
        socket.send(`node ${id}`);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      // Proof of `as`: bound to a TCP port.
      const { port } = server.address() as AddressInfo;
      const agent = createAgent({
        balancers: [intake],
        pool: 'chat',
        id,
        address: `127.0.0.1:${port}`,
        signals: { busy: () => load / capacity },
      });
      agent.observe(sockets);
      agent.start();
      return { id, sockets, utilization: () => load / capacity };
    }),
  );
  setInterval(() => {
    const seen: NodesSeen = {
      utilization: Object.fromEntries(started.map(({ id, utilization }) => [id, utilization()])),
      open: Object.fromEntries(started.map(({ id, sockets }) => [id, sockets.clients.size])),
      closes,
    };
    process.send?.(seen);
  }, 100);
}
