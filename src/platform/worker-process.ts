// The two ends of a worker as processes: how the main process starts one with the listening sockets, and how the worker
// finds them. What they say to each other is balancer/workers/.
import { spawn } from 'node:child_process';
import { extname } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { usableProcessors } from './processors.ts';
import type { FromWorker, ToWorker, WorkerUse } from '../balancer/workers/messages.ts';
import type { WorkerEvents, WorkerProcess } from '../balancer/workers/seat.ts';

/** Variable that tells a process that it is a worker, and what it has; nobody sets it by hand. */
const variable = 'HERALD_WORKER';
// 0 to 2 are the streams, 3 is the channel.
const firstSocketFd = 4;
const mostAutomatic = 16;
/** Beside the rooms; of the same kind as this file, built or not. */
const entry = fileURLToPath(new URL(`../worker${extname(import.meta.url)}`, import.meta.url));

/** A worker's place, as the worker finds it. */
export interface WorkerPlace {
  /** 1 or more. */
  readonly worker: number;
  /** Descriptors of listening sockets by key. */
  readonly sockets: ReadonlyMap<string, number>;
  readonly channel: MainChannel;
}

/** The way to the main process. */
export interface MainChannel {
  /** Does nothing when it is gone. */
  send(message: FromWorker): void;
  onMessage(hear: (message: ToWorker) => void): void;
  /** The main process has ended, in whatever way; at once where it has already. */
  onGone(hear: () => void): void;
  /** Lets go of the channel, once what was said is on its way. Idempotent. */
  close(): void;
}

/** What this process is as a worker, taken out of its environment; undefined for any other process. */
export function readWorkerPlace(): WorkerPlace | undefined {
  const text = process.env[variable];
  delete process.env[variable];
  if (text === undefined || typeof process.send !== 'function') return undefined;
  // Written by `spawnWorker` of the process that started this one.
  const { worker, keys } = JSON.parse(text) as { worker: number; keys: string[] };
  const sockets = new Map(keys.map((key, index) => [key, firstSocketFd + index]));
  return { worker, sockets, channel: mainChannel() };
}

/** How many workers `auto` comes to: one for each processor that may be used, 16 at most, since each reads every report. */
export function automaticWorkers(): number {
  return Math.min(mostAutomatic, usableProcessors());
}

/** Starts a worker with descriptors of the sockets to accept on, by key. */
export function spawnWorker(
  { worker, sockets }: { readonly worker: number; readonly sockets: ReadonlyMap<string, number> },
  events: WorkerEvents,
): WorkerProcess {
  const { NOTIFY_SOCKET: _notify, WATCHDOG_PID: _pid, WATCHDOG_USEC: _every, ...environment } = process.env;
  const child = spawn(process.execPath, [...process.execArgv, entry], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...sockets.values()],
    env: { ...environment, [variable]: JSON.stringify({ worker, keys: [...sockets.keys()] }) },
    serialization: 'advanced',
  });
  let isGone = false;
  const gone = (how: string) => {
    if (isGone) return;
    isGone = true;
    events.ended(how);
  };
  // Proof of the cast: the other end is this program, started from the same files.
  child.on('message', (message) => events.heard(message as FromWorker));
  child.on('error', (error) => gone(`cannot be started: ${error.message}`));
  // Not 'exit': what it has said before is heard first.
  child.on('close', (code, signal) =>
    gone(signal === null ? `ended with ${code}` : `was ended by ${signal}`),
  );
  return {
    pid: child.pid ?? 0,
    send: (message) => void (child.connected && child.send(message, ignoreError)),
    kill: () => void child.kill('SIGKILL'),
  };
}

// As the agent: a stall of 20 ms cannot hide. Each look is a wake-up of its own, of which an idle worker has few others.
const lagResolutionMs = 20;

/** Asks what this process has cost since the last question. */
export function createUseMeter(): () => WorkerUse {
  const delay = monitorEventLoopDelay({ resolution: lagResolutionMs });
  delay.enable();
  return () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage();
    // What is measured is the time between two looks, most of which is meant.
    const lagMs = Math.max(0, delay.percentile(99) / 1e6 - lagResolutionMs);
    delay.reset();
    return {
      cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
      residentBytes: process.memoryUsage.rss(),
      lagMs: Number.isFinite(lagMs) ? Math.round(lagMs * 10) / 10 : 0,
    };
  };
}

function mainChannel(): MainChannel {
  return {
    send: (message) => void (process.connected && process.send?.(message, undefined, undefined, ignoreError)),
    // Proof of the cast: the other end is the program that started this one, from the same files.
    onMessage: (hear) => void process.on('message', (message) => hear(message as ToWorker)),
    onGone(hear) {
      if (process.connected) process.once('disconnect', hear);
      else hear();
    },
    close: () => void (process.connected && process.disconnect()),
  };
}

/** The other process may end at any moment: 'disconnect' and 'close' tell that. */
function ignoreError(): void {}
