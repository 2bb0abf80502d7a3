// A balancer that is replaced while clients talk through it: who is asked, who must not notice, and who is left at the end.
import { request } from 'node:http';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { TakeoverView } from '../../src/protocol/takeover.ts';
import { aHerald, type HeraldProcess } from './herald-process.ts';
import { aPolicy, type HeraldSetup } from './herald-setup.ts';
import { until } from './until.ts';

/** A balancer whose successors the test ends, too. */
export async function aReplaceableHerald(setup: HeraldSetup = {}): Promise<HeraldProcess> {
  const policies = { chat: aPolicy({ place: { slowStart: '0s', maxShare: '100%' } }) };
  const herald = await aHerald({ policies, ...setup });
  onTestFinished(() => {
    for (const pid of servingPids(herald)) kill(pid, 'SIGKILL');
  });
  return herald;
}

/** Every process that has ever served, in order. */
export function servingPids({ logs }: Pick<HeraldProcess, 'logs'>): number[] {
  return logs.filter(({ msg }) => msg === 'serving').map((line) => Number(line['pid']));
}

/** Sends a signal to a process that may have ended. */
export function kill(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** Waits until this process has ended. */
export async function gone(pid: number): Promise<void> {
  await until(
    () => !kill(pid, 0),
    () => `process ${pid} lives on`,
    20_000,
  );
}

/** Asks for a takeover and waits until the new process says that it serves; its process id. */
export async function takeOver(herald: HeraldProcess): Promise<number> {
  const from = herald.logs.length;
  const { code, stderr } = await herald.cli('serve', '--takeover');
  if (code !== 0) throw new Error(`takeover: ${code} ${stderr}`);
  const { pid } = await herald.logged('serving', from);
  return Number(pid);
}

/** How the process that answers sees the takeovers. */
export function takeoverView(herald: HeraldProcess): Promise<TakeoverView> {
  return herald.admin<TakeoverView>('/v1/takeover');
}

/** Clients that send numbers and expect them back in order. */
export interface Talkers {
  /** What no client may notice: closes, errors, and echoes out of order. */
  readonly complaints: readonly string[];
  /** Echoes heard by the client that has heard the fewest. */
  readonly fewestEchoes: () => number;
  /** Waits until every client has heard `count` more echoes. */
  heardMore(count: number): Promise<void>;
  /** Stops sending, waits for every echo, and closes; each close must be the client's own. */
  leave(): Promise<void>;
}

const sayEveryMs = 50;

/** Connects talkers; resolves when all are open. */
export async function someTalkers(port: number, count: number): Promise<Talkers> {
  const complaints: string[] = [];
  const clients = Array.from({ length: count }, (_, index) => talker(port, index, complaints));
  onTestFinished(() => {
    for (const { socket, stop } of clients) {
      stop();
      socket.terminate();
    }
  });
  await Promise.all(clients.map(({ opened }) => opened));
  const fewestEchoes = () => Math.min(...clients.map(({ heard }) => heard()));
  return {
    complaints,
    fewestEchoes,
    async heardMore(more) {
      const goal = fewestEchoes() + more;
      await until(
        () => fewestEchoes() >= goal || complaints.length > 0,
        () => `${fewestEchoes()} of ${goal} echoes`,
        20_000,
      );
    },
    async leave() {
      for (const { stop } of clients) stop();
      await until(
        () => clients.every(({ said, heard }) => said() === heard()) || complaints.length > 0,
        () => 'echoes are missing',
        20_000,
      );
      for (const { leave } of clients) leave();
    },
  };
}

function talker(port: number, index: number, complaints: string[]) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { handshakeTimeout: 20_000 });
  let said = 0;
  let heard = 0;
  let isLeaving = false;
  let timer: NodeJS.Timeout | undefined;
  socket.on('message', (data) => {
    const text = String(data);
    if (text !== `${index}:${heard}`) complaints.push(`client ${index} heard ${text}, not number ${heard}`);
    heard += 1;
  });
  socket.on('close', (code) => void (isLeaving || complaints.push(`client ${index} was closed by ${code}`)));
  socket.on('error', (error) => void (isLeaving || complaints.push(`client ${index}: ${error.message}`)));
  const opened = new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.once('open', () => {
      timer = setInterval(() => socket.send(`${index}:${said++}`), sayEveryMs);
      resolve();
    });
  });
  return {
    socket,
    opened,
    said: () => said,
    heard: () => heard,
    stop: () => clearInterval(timer),
    leave() {
      isLeaving = true;
      socket.close();
    },
  };
}

/** Somebody who connects again and again. */
export interface Knocker {
  readonly tries: () => number;
  /** Attempts that were refused, reset or not answered. */
  readonly refusals: readonly string[];
  /** Ends with the attempt under way. */
  stop(): Promise<void>;
}

/** Knocks with one attempt after the other until stopped. */
export function aKnocker(attempt: () => Promise<void>): Knocker {
  const refusals: string[] = [];
  let tries = 0;
  const over = new AbortController();
  const ended = (async () => {
    while (!over.signal.aborted) {
      tries += 1;
      await attempt().catch((error: unknown) => void refusals.push(String(error)));
    }
  })();
  const stop = async () => {
    over.abort();
    await ended;
  };
  onTestFinished(stop);
  return { tries: () => tries, refusals, stop };
}

/** One WebSocket that says one thing, hears it, and leaves. */
export function knockOverWebSocket(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { handshakeTimeout: 20_000 });
    let isHeard = false;
    socket.on('open', () => socket.send('knock'));
    socket.on('message', () => {
      isHeard = true;
      socket.close();
    });
    socket.on('error', reject);
    socket.on('close', (code) => (isHeard ? resolve() : reject(new Error(`closed by ${code}`))));
  });
}

/** One request on a connection of its own. */
export function knockOverHttp(to: { port: number } | { socketPath: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = request({ ...to, host: 'localhost', path: '/healthz', agent: false }, (answer) => {
      answer.resume();
      answer.on('error', reject);
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve() : reject(new Error(`${answer.statusCode}`)),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}
