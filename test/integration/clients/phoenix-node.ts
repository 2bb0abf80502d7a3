// A stub of Phoenix's server of channels: joins, replies, pushes and heartbeats over WebSocket and long polls. Its tokens
// are known to this node alone, as those of Phoenix nodes that are no cluster.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { WebSocketServer } from 'ws';

/** Version 2 of the wire format: join reference, reference, topic, event, payload. */
type Frame = [string | null, string | null, string, string, Record<string, unknown>];

/** What the nodes of a test have seen, by node. */
export interface PhoenixJournal {
  /** Nodes that got a heartbeat. */
  readonly heartbeats: string[];
  /** Nodes that began a session of long polls. */
  readonly sessions: string[];
  /** Nodes that hold a poll now. */
  readonly held: Set<string>;
}

/** One client's session over long polls. */
interface Session {
  /** What waits for the next poll. */
  waiting: string[];
  /** Answers the poll that is held. */
  release?: (() => void) | undefined;
}

/** An empty journal. */
export const phoenixJournal = (): PhoenixJournal => ({
  heartbeats: [],
  sessions: [],
  held: new Set(),
});

/**
 * Makes a server one of channels: joins are told the node, `burst` makes it push numbers, all else is replied as it
 * came. A poll without anything to say is answered after `windowMs`.
 */
export function phoenixNode(
  journal: PhoenixJournal = phoenixJournal(),
  windowMs = 500,
): (id: string, server: Server) => void {
  return (id, server) => {
    const sockets = new WebSocketServer({ server, path: '/socket/websocket' });
    sockets.on('connection', (socket) => {
      socket.on('message', (data) => hear(String(data), id, journal, (frame) => socket.send(frame)));
    });
    const sessions = new Map<string, Session>();
    server.on('request', (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://node');
      if (pathname !== '/socket/longpoll') return void response.writeHead(404).end();
      const token = searchParams.get('token') ?? '';
      const session = sessions.get(token);
      if (request.method === 'POST') return void publish(session, request, { id, journal, response });
      if (session !== undefined) return poll(session, token, { id, journal, response, windowMs });
      // As Phoenix does: whoever has no session here gets one, and is told so by 410.
      journal.sessions.push(id);
      const fresh = randomUUID();
      sessions.set(fresh, { waiting: [] });
      return say(response, { status: 410, token: fresh });
    });
  };
}

/** The status is in the body: that of HTTP is always 200. */
function say(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function publish(
  session: Session | undefined,
  request: IncomingMessage,
  { id, journal, response }: { id: string; journal: PhoenixJournal; response: ServerResponse },
): Promise<void> {
  const frames = await text(request);
  if (session === undefined) return say(response, { status: 410 });
  for (const frame of frames.split('\n'))
    hear(frame, id, journal, (answer) => void session.waiting.push(answer));
  say(response, { status: 200 });
  session.release?.();
}

function poll(
  session: Session,
  token: string,
  {
    id,
    journal,
    response,
    windowMs,
  }: { id: string; journal: PhoenixJournal; response: ServerResponse; windowMs: number },
): void {
  const release = () => {
    clearTimeout(timer);
    journal.held.delete(id);
    session.release = undefined;
    const messages = session.waiting;
    session.waiting = [];
    say(response, { status: messages.length > 0 ? 200 : 204, token, messages });
  };
  const timer = setTimeout(release, windowMs);
  response.on('close', () => clearTimeout(timer));
  if (session.waiting.length > 0) return release();
  journal.held.add(id);
  session.release = release;
}

function hear(message: string, id: string, journal: PhoenixJournal, send: (frame: string) => void): void {
  // Proof of `as`: the client of these tests sends nothing else.
  const [join, ref, topic, event, payload] = JSON.parse(message) as Frame;
  const tell = (name: string, body: object, reference: string | null = null) =>
    send(JSON.stringify([join, reference, topic, name, body]));
  if (event === 'heartbeat') journal.heartbeats.push(id);
  if (event === 'burst')
    for (let index = 0; index < Number(payload['count']); index += 1) tell('number', { index });
  tell('phx_reply', { status: 'ok', response: event === 'phx_join' ? { node: id } : payload }, ref);
}
