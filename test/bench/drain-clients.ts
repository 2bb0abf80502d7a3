// The clients of `npm run bench:drain`, in a process of their own: real `ws` clients that talk, wait as long as a
// goodbye tells them, and come back.
import { WebSocket } from 'ws';
import { pcg32, type Rng } from '../../src/core/rng.ts';

/** What the parent tells, once for each wave. */
export interface ClientsStart {
  readonly port: number;
  readonly count: number;
  readonly seed: number;
  /** Spread of the costs: sigma of a lognormal with mean 1. */
  readonly sigma: number;
}

/** What the parent hears every 100 ms. */
export interface ClientsSeen {
  /** Clients that have a connection, by node. */
  readonly on: Readonly<Record<string, number>>;
  readonly codes: Readonly<Record<string, number>>;
  /** Clients that were closed and are back, and how long that took them. */
  readonly back: number;
  readonly awayMs: readonly number[];
  readonly garbled: number;
}

const on: Record<string, number> = {};
const codes: Record<string, number> = {};
const awayMs: number[] = [];
let garbled = 0;

process.on('message', ({ port, count, seed, sigma }: ClientsStart) => {
  const rng = pcg32(seed);
  // Not all in one instant: the wave is what the test is not about.
  for (let i = 0; i < count; i++) setTimeout(() => connect(port, costOf(rng, sigma)), i * 2);
});

setInterval(() => {
  const seen: ClientsSeen = { on, codes, back: awayMs.length, awayMs, garbled };
  process.send?.(seen);
}, 100);

function costOf(rng: Rng, sigma: number): number {
  const normal = Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
  return Math.exp(sigma * normal - (sigma * sigma) / 2);
}

function connect(port: number, cost: number, closedAtMs?: number): void {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/?cost=${cost.toFixed(4)}`, {
    perMessageDeflate: false,
  });
  let node = '';
  let awaySinceMs = closedAtMs;
  // A message takes as much of the node as the connection costs: the relay sees who is heavy.
  const timer = setInterval(() => {
    if (socket.readyState === WebSocket.OPEN) socket.send('hello');
  }, 4000 / cost);
  socket.on('error', () => {});
  socket.on('message', (data) => {
    const text = String(data);
    if (text.startsWith('node ')) {
      node = text.slice(5);
      on[node] = (on[node] ?? 0) + 1;
      if (awaySinceMs !== undefined) awayMs.push(Math.round(performance.now() - awaySinceMs));
      awaySinceMs = undefined;
    } else if (text !== 'hello') garbled += 1;
  });
  socket.on('close', (code, reason) => {
    clearInterval(timer);
    codes[code] = (codes[code] ?? 0) + 1;
    if (node !== '') on[node] = (on[node] ?? 0) - 1;
    const hint = /retry-ms=(\d+)$/.exec(String(reason))?.[1];
    const atMs = performance.now();
    setTimeout(() => connect(port, cost, awaySinceMs ?? atMs), hint === undefined ? 1000 : Number(hint));
  });
}
