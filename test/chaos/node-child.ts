// One node of a run, in a process of its own: a `ws` server that greets with its id and echoes, with the agent inside,
// reporting to every balancer.
import { WebSocketServer } from 'ws';
import { createAgent } from '../../src/agent/agent.ts';

/** What its parent tells it first. */
export interface NodeStart {
  readonly id: string;
  readonly port: number;
  readonly intakes: readonly string[];
}

/** What its parent hears: once when it listens, and whenever it asks. */
export interface NodeSaid {
  readonly connections: number;
}

// A node that many clients fill by half: loads differ as clients do, and nothing is refused for want of room.
const fullAt = 400;

process.once('message', (start: NodeStart) => serve(start));
// Its parent is gone: so is the run.
process.on('disconnect', () => process.exit(0));

function serve({ id, port, intakes }: NodeStart): void {
  const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false });
  server.on('connection', (socket) => {
    socket.on('error', () => socket.terminate());
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }, () => {}));
    socket.send(`node ${id}`);
  });
  const tell = () => {
    const said: NodeSaid = { connections: server.clients.size };
    process.send?.(said, () => {});
  };
  server.on('listening', () => {
    const agent = createAgent({
      balancers: intakes,
      pool: 'chat',
      id,
      address: `127.0.0.1:${port}`,
      intervalMs: 500,
      signals: { busy: () => server.clients.size / fullAt },
    });
    agent.observe(server);
    agent.start();
    tell();
    process.on('message', tell);
  });
}
