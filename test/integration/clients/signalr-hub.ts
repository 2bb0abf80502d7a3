// A stub of SignalR's server: negotiation, JSON hub protocol and pings over WebSocket, server-sent events and long polls.
// Its tokens are known to this node alone, as in ASP.NET Core.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';

/** Ends each record of the JSON hub protocol. */
const recordEnd = '\u001e';
const invocation = 1;
const completion = 3;
const ping = 6;
const beatEveryMs = 100;

/** What the hubs of a test have seen, by node. */
export interface HubJournal {
  /** Nodes that got a ping of the client's. */
  readonly pings: string[];
  /** Nodes that were asked to end a session of long polls. */
  readonly deletes: string[];
  /** Nodes that hold a poll now. */
  readonly held: Set<string>;
}

interface HubRecord {
  readonly protocol?: string;
  readonly type?: number;
  readonly invocationId?: string;
  readonly target?: string;
  readonly arguments?: unknown[];
}

/** One client's session over plain requests. */
interface Visit {
  /** What waits for the next poll. */
  waiting: string;
  hasPolled: boolean;
  /** Whether the client's handshake was answered: anything before that answer ends the connection. */
  isGreeted: boolean;
  /** Where what is said goes at once: a stream of events, or the poll that is held. */
  say?: ((records: string) => void) | undefined;
}

/** An empty journal. */
export const hubJournal = (): HubJournal => ({
  pings: [],
  deletes: [],
  held: new Set(),
});

/**
 * Makes a server a hub: `Where` is answered by the node's id, `Burst` pushes numbers first, all else is echoed. A poll
 * without anything to say is answered after `holdMs`.
 */
export function signalrHub(
  journal: HubJournal = hubJournal(),
  holdMs = 500,
): (id: string, server: Server) => void {
  return (id, server) => {
    const visits = new Map<string, Visit>();
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://hub');
      const token = searchParams.get('id') ?? '';
      const visit = visits.get(token);
      if (pathname.endsWith('/negotiate')) return negotiate(visits, request, response);
      if (visit === undefined) return void response.writeHead(404).end('No Connection with that ID');
      if (request.method === 'POST') return void receive(visit, request, { id, journal, response });
      if (request.method === 'DELETE') {
        journal.deletes.push(id);
        visits.delete(token);
        return void response.writeHead(202).end();
      }
      if (request.headers.accept === 'text/event-stream') return stream(visit, response);
      return hold(visit, response, { id, journal, holdMs });
    });
    listenToSockets(id, server, { journal, visits });
  };
}

function negotiate(visits: Map<string, Visit>, request: IncomingMessage, response: ServerResponse): void {
  const [connectionId, connectionToken] = [randomUUID(), randomUUID()];
  visits.set(connectionToken, { waiting: '', hasPolled: false, isGreeted: false });
  request.resume();
  response.writeHead(200, { 'Content-Type': 'application/json' });
  const availableTransports = [
    { transport: 'WebSockets', transferFormats: ['Text', 'Binary'] },
    { transport: 'ServerSentEvents', transferFormats: ['Text'] },
    { transport: 'LongPolling', transferFormats: ['Text', 'Binary'] },
  ];
  response.end(JSON.stringify({ negotiateVersion: 1, connectionId, connectionToken, availableTransports }));
}

async function receive(
  visit: Visit,
  request: IncomingMessage,
  { id, journal, response }: { id: string; journal: HubJournal; response: ServerResponse },
): Promise<void> {
  const records = await text(request);
  hear(records, id, journal, (record) => tell(visit, record));
  // Its first words are the handshake.
  visit.isGreeted = true;
  response.end();
}

function tell(visit: Visit, record: object): void {
  const records = JSON.stringify(record) + recordEnd;
  if (visit.say === undefined) visit.waiting += records;
  else visit.say(records);
}

function stream(visit: Visit, response: ServerResponse): void {
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' });
  response.flushHeaders();
  visit.say = (records) => void response.write(`data: ${records}\r\n\r\n`);
  const beat = setInterval(() => visit.isGreeted && tell(visit, { type: ping }), beatEveryMs);
  response.on('close', () => clearInterval(beat));
}

/** The first poll is answered empty at once, and tells the client that the session is there. */
function hold(
  visit: Visit,
  response: ServerResponse,
  { id, journal, holdMs }: { id: string; journal: HubJournal; holdMs: number },
): void {
  const answer = (records: string) => {
    visit.say = undefined;
    journal.held.delete(id);
    clearTimeout(timer);
    response.end(records);
  };
  const timer = setTimeout(() => answer(''), holdMs);
  response.on('close', () => clearTimeout(timer));
  const records = visit.waiting;
  visit.waiting = '';
  if (visit.hasPolled && records === '') {
    journal.held.add(id);
    visit.say = answer;
  } else answer(records);
  visit.hasPolled = true;
}

function listenToSockets(
  id: string,
  server: Server,
  { journal, visits }: { journal: HubJournal; visits: ReadonlyMap<string, Visit> },
): void {
  const sockets = new WebSocketServer({
    server,
    // As ASP.NET Core does: a token that this process did not give is 404, none at all is one who skipped.
    verifyClient({ req }, done) {
      const token = new URL(req.url ?? '/', 'http://hub').searchParams.get('id');
      done(token === null || visits.has(token), 404);
    },
  });
  sockets.on('connection', (socket) => {
    const say = (record: object) => socket.send(JSON.stringify(record) + recordEnd);
    socket.on('message', (data) => hear(String(data), id, journal, say));
    // Its first words are the handshake; a ping before the answer to it would end the connection.
    socket.once('message', () => {
      const beat = setInterval(() => say({ type: ping }), beatEveryMs);
      socket.on('close', () => clearInterval(beat));
    });
  });
}

/** Answers what one message of a client holds. */
function hear(records: string, id: string, journal: HubJournal, say: (record: object) => void): void {
  for (const line of records.split(recordEnd).filter(Boolean)) {
    // Proof of `as`: the client of these tests sends nothing else.
    const record = JSON.parse(line) as HubRecord;
    if (record.protocol !== undefined) say({});
    if (record.type === ping) journal.pings.push(id);
    if (record.type === invocation) answer(record, id, say);
  }
}

function answer(
  { invocationId, target, arguments: given = [] }: HubRecord,
  id: string,
  say: (record: object) => void,
): void {
  if (target === 'Burst')
    for (let index = 0; index < Number(given[0]); index += 1)
      say({ type: invocation, target: 'number', arguments: [index] });
  say({ type: completion, invocationId, result: target === 'Where' ? id : given[0] });
}
