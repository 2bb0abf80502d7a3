// The demo's clients: real WebSocket connections that come, talk and go by plan.
import { WebSocket } from 'ws';
import { pcg32 } from '../core/rng.ts';
import { createSystemClock } from '../platform/system-clock.ts';
import type { FromClients, ToClients } from './messages.ts';
import { exponential, type ClientPlan } from './traffic.ts';

const clock = createSystemClock();
const open = new Set<WebSocket>();
const delaysMs: number[] = [];
const trouble: Record<string, number> = {};
let connected = 0;
let returned = 0;
let isStopping = false;

process.on('message', (message: ToClients) => {
  if (message.kind === 'stop') return stop();
  for (const plan of message.plans)
    clock.schedule(plan.arriveAtMs, () => connect(message.url, plan, clock.nowMs() + plan.holdMs));
});
process.on('disconnect', () => process.exit(0));

function connect(url: string, plan: ClientPlan, leavesAtMs: number): void {
  if (isStopping || clock.nowMs() >= leavesAtMs) return;
  const socket = new WebSocket(url, { perMessageDeflate: false });
  const rng = pcg32(plan.seed);
  const talk = () => {
    if (socket.readyState !== WebSocket.OPEN) return;
    socket.send(String(clock.nowMs()));
    clock.schedule(exponential(rng, 1000 / plan.messagesPerSecond), talk);
  };
  socket.on('open', () => {
    connected += 1;
    open.add(socket);
    clock.schedule(exponential(rng, 1000 / plan.messagesPerSecond), talk);
    clock.schedule(leavesAtMs - clock.nowMs(), () => socket.close(1000));
  });
  socket.on('message', (data) => void delaysMs.push(clock.nowMs() - Number(String(data))));
  socket.on('error', (error) => note(`error: ${error.message}`));
  socket.on('close', (code, reason) => {
    open.delete(socket);
    if (code === 1000 || isStopping) return;
    const hint = /\bretry-ms=(\d+)$/.exec(String(reason));
    if (hint === null) return note(`closed: ${code}`);
    returned += 1;
    clock.schedule(Number(hint[1]), () => connect(url, plan, leavesAtMs));
  });
}

function note(reason: string): void {
  trouble[reason] = (trouble[reason] ?? 0) + 1;
}

function stop(): void {
  isStopping = true;
  for (const socket of open) socket.close(1000);
  const sorted = Float64Array.from(delaysMs).toSorted();
  const quantile = (part: number) => sorted[Math.floor(part * (sorted.length - 1))] ?? NaN;
  const report: FromClients = {
    kind: 'finished',
    connected,
    returned,
    trouble,
    answered: sorted.length,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
  process.send?.(report, () => process.disconnect());
}
