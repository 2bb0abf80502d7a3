// Event streams and long polls of a soak: requests to the node through node:http, on connections that are kept.
import { Agent, request, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { pcg32, type Rng } from '../../src/core/rng.ts';
import { between, drawSize, messageBytes } from './bytes.ts';
import type { Desk } from './desk.ts';

const leavePart = 0.3;
const answerWithinMs = 60_000;

interface Asked {
  readonly path: string;
  readonly agent: Agent;
  /** Its body; a GET without one. */
  readonly body?: Buffer;
}

/** The answer's head, or why there is none. */
function ask(desk: Desk, { path, agent, body }: Asked): Promise<IncomingMessage | string> {
  return new Promise((resolve) => {
    const asked = request({ host: '127.0.0.1', port: desk.port, path, agent, method: body ? 'POST' : 'GET' });
    asked.setTimeout(answerWithinMs, () => asked.destroy(new Error('no answer')));
    asked.on('response', resolve);
    asked.on('error', (error) => resolve(error.message));
    asked.end(body);
  });
}

/** Hears twenty events, or leaves before the end. */
export async function visitByEvents(desk: Desk, rng: Rng): Promise<void> {
  const connection = desk.nextConnection();
  const fromMs = desk.nowMs();
  const agent = new Agent();
  const answer = await ask(desk, { path: `/events?connection=${connection}`, agent });
  const about = `event stream ${connection}`;
  if (!isAnswered(desk, about, answer)) return;
  desk.count('event streams');
  const reader = new EventReader(desk, connection);
  const leaves =
    rng.next() < leavePart ? setTimeout(() => answer.destroy(), between(rng, [50, 6000])) : undefined;
  const stalls = setTimeout(() => void stall(desk, answer, rng), between(rng, [50, 8000]));
  const leave = () => answer.destroy();
  const hasEnded = await new Promise<boolean>((resolve) => {
    answer.on('data', (bytes: Buffer) => reader.read(bytes));
    answer.on('end', () => resolve(true));
    answer.on('error', () => resolve(false));
    answer.on('close', () => resolve(false));
    desk.leave.signal.addEventListener('abort', leave, { once: true });
  });
  desk.leave.signal.removeEventListener('abort', leave);
  clearTimeout(stalls);
  clearTimeout(leaves);
  agent.destroy();
  const isLeft = answer.destroyed && !hasEnded && (leaves !== undefined || desk.isLeaving);
  if (isLeft) return desk.count('event streams left');
  const node = String(answer.headers['x-node']);
  if (hasEnded && reader.isWhole) desk.verdicts.check('whole', true, () => '');
  else desk.judgeEnd(about, { node, fromMs });
}

async function stall(desk: Desk, answer: IncomingMessage, rng: Rng): Promise<void> {
  if (rng.next() < 0.5) return;
  desk.count('stalls');
  answer.pause();
  await sleep(between(rng, [500, 3000]));
  answer.resume();
}

/** Reads `data: NUMBER SIZE TEXT` events, which follow from the connection. */
class EventReader {
  readonly #desk: Desk;
  readonly #connection: number;
  #rest = '';
  #number = 0;
  isWhole = false;

  constructor(desk: Desk, connection: number) {
    this.#desk = desk;
    this.#connection = connection;
  }

  read(bytes: Buffer): void {
    const lines = (this.#rest + bytes.toString('latin1')).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    // `retry:` of a goodbye, and the empty line behind each event.
    if (!line.startsWith('data: ')) return;
    if (line === 'data: end') return void (this.isWhole = this.#number === 20);
    const [number = '', size = ''] = line.slice(6, 40).split(' ', 2);
    const name = {
      connection: this.#connection,
      number: this.#number,
      size: Number(size),
      alphabet: 'text',
    } as const;
    const sent = `data: ${name.number} ${size} ${messageBytes(name).toString('latin1')}`;
    const about = `event stream ${this.#connection}, event ${number}`;
    this.#desk.judgeBytes(about, Buffer.from(line, 'latin1'), Buffer.from(sent, 'latin1'));
    this.#desk.count('events');
    this.#number += 1;
  }
}

/** A few long polls and posts, one after the other on a kept connection; some are left before the answer. */
export async function visitByPolls(desk: Desk, rng: Rng): Promise<void> {
  const connection = desk.nextConnection();
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  desk.count('poll clients');
  const leaves =
    rng.next() < leavePart ? setTimeout(() => agent.destroy(), between(rng, [50, 4000])) : undefined;
  const hasLeft = () => leaves !== undefined;
  for (let number = 0; number < 6 && !desk.isLeaving; number += 1) {
    const isOpen = await (rng.next() < 0.6 ? poll : post)(desk, { connection, number, agent, rng, hasLeft });
    if (!isOpen) break;
    await sleep(between(rng, [0, 300]));
  }
  clearTimeout(leaves);
  agent.destroy();
}

interface Turn {
  readonly connection: number;
  readonly number: number;
  readonly agent: Agent;
  readonly rng: Rng;
  /** Its connection may be cut by ourselves. */
  readonly hasLeft: () => boolean;
}

async function poll(desk: Desk, turn: Turn): Promise<boolean> {
  const { connection, number, agent } = turn;
  const answer = await ask(desk, { path: `/poll?connection=${connection}&number=${number}`, agent });
  const drawn = pcg32(connection * 1000 + number);
  const sent = messageBytes({ connection, number, size: drawSize(drawn), alphabet: 'binary' });
  return hear(desk, turn, { answer, sent, about: `poll ${connection}:${number}` });
}

async function post(desk: Desk, turn: Turn): Promise<boolean> {
  const { connection, number, agent, rng } = turn;
  const sent = messageBytes({ connection, number, size: drawSize(rng), alphabet: 'binary' });
  const answer = await ask(desk, { path: '/echo', agent, body: sent });
  return hear(desk, turn, { answer, sent, about: `post ${connection}:${number}` });
}

async function hear(
  desk: Desk,
  { hasLeft }: Turn,
  { answer, sent, about }: { answer: IncomingMessage | string; sent: Buffer; about: string },
): Promise<boolean> {
  if (typeof answer === 'string' && hasLeft()) return false;
  if (!isAnswered(desk, about, answer)) return false;
  const pieces: Buffer[] = [];
  const isWhole = await new Promise<boolean>((resolve) => {
    answer.on('data', (piece: Buffer) => void pieces.push(piece));
    answer.on('end', () => resolve(true));
    answer.on('error', () => resolve(false));
    answer.on('close', () => resolve(false));
  });
  const heard = Buffer.concat(pieces);
  desk.judgeBytes(about, heard, sent.subarray(0, isWhole ? sent.length : heard.length));
  desk.verdicts.check('whole', isWhole || hasLeft(), () => `${about} was cut after ${heard.length} bytes`);
  if (isWhole) desk.count('polls and posts');
  return isWhole;
}

function isAnswered(desk: Desk, about: string, answer: IncomingMessage | string): answer is IncomingMessage {
  const said = typeof answer === 'string' ? answer : String(answer.statusCode);
  desk.verdicts.check('answers', said === '200', () => `${about}: ${said}`);
  return said === '200';
}
