// A node as an application is one: a real server in this process with Herald's agent inside.
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { createAgent, type Agent, type AgentOptions } from '../../src/agent/agent.ts';

/** A listening node that reports. */
export interface AgentNode {
  readonly id: string;
  readonly port: number;
  readonly server: Server;
  readonly agent: Agent;
  /** What it reports as the signal `busy`, 0.1 at first. */
  busy: number;
  /** Its open sockets, whatever they speak. */
  readonly sockets: ReadonlySet<Socket>;
  /** Takes leave of the balancer and ends everything. Idempotent. */
  close(): Promise<void>;
}

/** What a node is. */
export interface AgentNodeOptions {
  readonly handle?: RequestListener;
  /** Puts something on the server and says what the agent observes; the server itself otherwise. */
  readonly attach?: (server: Server) => Parameters<Agent['observe']>[0];
  readonly agent?: Partial<AgentOptions>;
  /** 0: any. */
  readonly port?: number;
}

/** Starts a node for one test, which ends it. It registers with the pool `chat` by its first report. */
export async function anAgentNode(
  id: string,
  intakeUrl: string,
  { handle, attach, agent: more, port: wanted = 0 }: AgentNodeOptions = {},
): Promise<AgentNode> {
  const sockets = new Set<Socket>();
  const server = createServer(handle);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  const observed = attach?.(server) ?? server;
  await new Promise<void>((resolve) => server.listen(wanted, '127.0.0.1', resolve));
  // Proof of `as`: bound to a TCP port.
  const { port } = server.address() as AddressInfo;
  let end: Promise<void> | undefined;
  const node: AgentNode = {
    id,
    port,
    server,
    sockets,
    busy: 0.1,
    agent: createAgent({
      balancers: [intakeUrl],
      pool: 'chat',
      id,
      address: `127.0.0.1:${port}`,
      intervalMs: 100,
      signals: { busy: () => node.busy },
      ...more,
    }),
    close: () =>
      (end ??= (async () => {
        await node.agent.stop();
        for (const socket of sockets) socket.destroy();
        await new Promise<void>((resolve) => server.close(() => resolve()));
      })()),
  };
  node.agent.observe(observed);
  node.agent.start();
  onTestFinished(() => node.close());
  return node;
}

/** A node whose `ws` server echoes every message as it came, and hands each connection to `greet`. */
export function anEchoNode(
  id: string,
  intakeUrl: string,
  {
    greet,
    ws,
    ...rest
  }: Omit<AgentNodeOptions, 'attach'> & {
    greet?: (socket: WebSocket, id: string) => void;
    ws?: ServerOptions;
  } = {},
): Promise<AgentNode> {
  return anAgentNode(id, intakeUrl, {
    ...rest,
    attach(server) {
      const sockets = new WebSocketServer({ ...ws, server });
      sockets.on('connection', (socket) => {
        socket.on('error', () => socket.terminate());
        socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }, () => {}));
        greet?.(socket, id);
      });
      return sockets;
    },
  });
}
