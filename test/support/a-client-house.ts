// A whole balancer in this process over nodes that speak what real client libraries speak, and drains of those nodes.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import type { Balancer } from '../../src/balancer/balancer.ts';
import type { Operation } from '../../src/protocol/operations.ts';
import { aPolicy } from './herald-setup.ts';
import { aBalancer } from './in-process.ts';
import { until } from './until.ts';

/** A node that listens. */
export interface ListeningNode {
  readonly id: string;
  /** `host:port`. */
  readonly address: string;
}

/** A balancer whose nodes are up. */
export interface ClientHouse {
  readonly balancer: Balancer;
  /** Of the public listener. */
  readonly port: number;
  /** Connections that the relay has on this node. */
  openOn(node: string): number;
  /** Drains the node to the end, which must be clean: everybody was told and nobody was cut. */
  drain(node: string): Promise<Operation>;
  /** Drains the node to the end, however that is. */
  drainWithin(node: string, deadlineMs: number): Promise<Operation>;
}

/** Goodbyes without load data are spread over the time: at this rate they are said at once, and have all of it. */
const rate = '1000/s';
const deadlineMs = 20_000;

/** An HTTP server for each id, which `attach` makes a server of something. The test ends them. */
export function listeningNodes(
  ids: readonly string[],
  attach: (id: string, server: Server) => void,
): Promise<ListeningNode[]> {
  return Promise.all(
    ids.map(async (id) => {
      const server = createServer();
      attach(id, server);
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => {
        server.closeAllConnections();
        server.close();
      });
      // Proof of `as`: bound to a TCP port.
      return { id, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
    }),
  );
}

/** Starts a balancer over the nodes for one test; `policy` changes sections of its policy. */
export async function aHouseOf(nodes: readonly ListeningNode[], policy: object = {}): Promise<ClientHouse> {
  const place = { slowStart: '0s', connectRate: '10000/s' };
  const balancer = await aBalancer({
    pools: { chat: { policy: 'chat', nodes } },
    policies: { chat: aPolicy({ place, drain: { rate }, ...policy }) },
  });
  await until(
    () => balancer.assess('chat').ineligible.every((reason) => reason === undefined),
    () => 'a node is down',
  );
  const drainWithin = async (node: string, withinMs: number) => {
    const wish = { adminState: 'drain' as const, deadlineMs: withinMs };
    const id = balancer.control.setAdminState([node], wish, { by: 'local' }).operation?.id ?? '';
    const operation = () => balancer.control.operation(id);
    await until(
      () => operation().state !== 'running',
      () => JSON.stringify(operation()),
      20_000,
    );
    return operation();
  };
  return {
    balancer,
    port: balancer.listenerPort('public'),
    openOn: (node) => balancer.dataPlane.connections('chat', node).size,
    drainWithin,
    async drain(node) {
      const operation = await drainWithin(node, deadlineMs);
      const { state, progress } = operation;
      if (state !== 'done' || progress.cut + progress.refusedByPeer > 0)
        throw new Error(`not a clean drain: ${JSON.stringify(operation)}`);
      return operation;
    },
  };
}

/** A balancer over two nodes, `a` and `b`, that `attach` makes servers of. */
export async function aClientHouse(
  attach: (id: string, server: Server) => void,
  policy: object = {},
): Promise<ClientHouse> {
  return aHouseOf(await listeningNodes(['a', 'b'], attach), policy);
}

/** The node of the two that is not this one. */
export function otherThan(node: string): string {
  return node === 'a' ? 'b' : 'a';
}

/** The time to come back that a close reason of Herald's names, in ms. Rejects any other reason. */
export function retryHintMs(reason: string): number {
  const hint = /\bretry-ms=(\d+)$/.exec(reason)?.[1];
  if (hint === undefined) throw new Error(`no hint in '${reason}'`);
  return Number(hint);
}

/** Makes the server one that greets with `id` and echoes: it compresses everything and speaks `chat.v2`. */
export function greetingSockets(id: string, server: Server): WebSocketServer {
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: { threshold: 0 },
    handleProtocols: (offered) => (offered.has('chat.v2') ? 'chat.v2' : false),
  });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, binary) => socket.send(data, { binary }));
    socket.send(id);
  });
  return sockets;
}
