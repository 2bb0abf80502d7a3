// The nodes of a soak, in a process of their own: each echoes WebSocket messages, echoes bytes behind another upgrade,
// streams events and answers long polls, and reports by the agent inside.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import { createAgent } from '../../src/agent/agent.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { between, drawSize, messageBytes } from './bytes.ts';

/** What its parent tells it first. */
export interface NodesStart {
  readonly ids: readonly string[];
  readonly intakeUrl: string;
}

/** Its answer, when all listen and report. */
export interface NodesReady {
  readonly ports: readonly number[];
}

// Nodes that are never full: what is looked for is not admission.
const fullAt = 1000;
// Some echoes come in two frames.
const splitBytes = 2000;

process.once('message', (start: NodesStart) => void serveAll(start));
// Its parent is gone: so is the run.
process.on('disconnect', () => process.exit(0));

async function serveAll({ ids, intakeUrl }: NodesStart): Promise<void> {
  const ports = await Promise.all(ids.map((id) => serve(id, intakeUrl)));
  const ready: NodesReady = { ports };
  process.send?.(ready);
}

async function serve(id: string, intakeUrl: string): Promise<number> {
  const server = createServer((request, response) => answer(id, request, response));
  const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 1 } });
  sockets.on('connection', (socket) => echoMessages(id, socket));
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (request.headers.upgrade === 'bytes') echoBytes(id, socket, head);
    else sockets.handleUpgrade(request, socket, head, (open) => sockets.emit('connection', open, request));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Proof of `as`: bound to a TCP port.
  const { port } = server.address() as AddressInfo;
  const agent = createAgent({
    balancers: [intakeUrl],
    pool: 'chat',
    id,
    address: `127.0.0.1:${port}`,
    intervalMs: 500,
    signals: { busy: () => sockets.clients.size / fullAt },
  });
  agent.observe(sockets);
  agent.start();
  return port;
}

function echoMessages(id: string, socket: WebSocket): void {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data: Buffer, isBinary) => {
    const isSplit = data.length > splitBytes && data.length % 2 === 1;
    if (isSplit) socket.send(data.subarray(0, splitBytes), { binary: isBinary, fin: false }, () => {});
    socket.send(isSplit ? data.subarray(splitBytes) : data, { binary: isBinary }, () => {});
  });
  socket.send(`node ${id}`);
}

function echoBytes(id: string, socket: Socket, head: Buffer): void {
  socket.on('error', () => socket.destroy());
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bytes\r\nX-Node: ${id}\r\n\r\n`,
  );
  if (head.length > 0) socket.write(head);
  // Ends its half when the client's has ended and all is written.
  socket.pipe(socket);
}

function answer(id: string, request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://node');
  const connection = Number(url.searchParams.get('connection'));
  response.setHeader('x-node', id);
  if (url.pathname === '/events') streamEvents(connection, response);
  else if (url.pathname === '/poll') answerPoll(connection, Number(url.searchParams.get('number')), response);
  else request.pipe(response);
}

/** Twenty events with some time between them, then the end. */
function streamEvents(connection: number, response: ServerResponse): void {
  const rng = pcg32(connection);
  let number = 0;
  let timer: NodeJS.Timeout | undefined;
  response.on('close', () => clearTimeout(timer));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const next = () => {
    const name = { connection, number, size: drawSize(rng), alphabet: 'text' } as const;
    response.write(`data: ${number} ${name.size} ${messageBytes(name).toString('latin1')}\n\n`);
    number += 1;
    if (number === 20) response.end('data: end\n\n');
    else timer = setTimeout(next, between(rng, [20, 800]));
  };
  next();
}

/** Held for a while, as long polls are, then one message. */
function answerPoll(connection: number, number: number, response: ServerResponse): void {
  const rng = pcg32(connection * 1000 + number);
  // The client draws the size in the same way.
  const size = drawSize(rng);
  const say = () => response.end(messageBytes({ connection, number, size, alphabet: 'binary' }));
  const timer = setTimeout(say, between(rng, [10, 2500]));
  response.on('close', () => clearTimeout(timer));
}
