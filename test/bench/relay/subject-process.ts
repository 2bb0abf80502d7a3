// One subject of the relay benchmark: its process, and what it has cost.
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { availableParallelism } from 'node:os';

/** Where a subject listens. */
export interface SubjectPorts {
  readonly plain: number;
  readonly tls: number;
}

/** A running proxy. */
export interface Subject {
  readonly name: string;
  readonly ports: SubjectPorts;
  /** CPU time of the process, its threads and its children so far, in nanoseconds. */
  cpuNanoseconds(): number;
  /** Memory of it and its children that is in use, in KiB. */
  residentKib(): number;
  stop(): Promise<void>;
}

const startTries = 200;
const startPauseMs = 50;

/** Whether the load and the subjects can have a processor each. */
const canPin = availableParallelism() >= 2 && spawnSync('taskset', ['-V']).status === 0;

/** A command that runs on processor `index` alone, with as many descriptors as there may be; as it is where that cannot be said. */
export function pinned(index: number, command: readonly string[]): string[] {
  const most = ['sh', '-c', 'ulimit -n $(ulimit -Hn); exec "$@"', 'sh'];
  return [...most, ...(canPin ? ['taskset', '-c', String(index)] : []), ...command];
}

/** Starts it on ports of its own; rejects when it does not listen. */
export async function startSubject(
  name: string,
  command: (ports: SubjectPorts) => readonly string[],
): Promise<Subject> {
  const ports = { plain: await freePort(), tls: await freePort() };
  const [file = '', ...rest] = pinned(1, command(ports));
  const child = spawn(file, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
  await waitForPort(ports.plain, child, name);
  // It answers on its port, so it has a pid.
  const { pid = 0 } = child;
  return {
    name,
    ports,
    cpuNanoseconds: () => sum(treeOf(pid).map(cpuOf)),
    residentKib: () => sum(treeOf(pid).map(residentOf)),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const below = treeOf(pid).slice(1);
      child.kill('SIGTERM');
      await once(child, 'exit');
      for (const each of below) endIfThere(each);
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}

/** The process and all below it. */
function treeOf(pid: number): number[] {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const below = tasks.flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...below.flatMap(treeOf)];
}

/** schedstat counts nanoseconds on a processor for each thread. */
function cpuOf(pid: number): number {
  const ofTask = (task: string) =>
    Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]);
  return sum(readdirSync(`/proc/${pid}/task`).map(ofTask));
}

function residentOf(pid: number): number {
  return Number(/^Rss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? NaN);
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended with its parent.
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A server bound to a port has an AddressInfo.
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function waitForPort(port: number, child: ChildProcess, name: string): Promise<void> {
  for (let i = 0; i < startTries; i++) {
    if (child.exitCode !== null)
      throw new Error(`${name} ended with code ${child.exitCode} before it listened`);
    const socket = connect(port, '127.0.0.1');
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, startPauseMs));
  }
  child.kill('SIGKILL');
  throw new Error(`${name} did not listen on port ${port}`);
}
