// Starts what the relay benchmark compares, and reads the CPU time of it.
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A running proxy. */
export interface Subject {
  readonly name: string;
  readonly port: number;
  /** CPU time of the process, its threads and its children so far, in nanoseconds. */
  cpuNanoseconds(): number;
  stop(): Promise<void>;
}

const startTries = 200;
const startPauseMs = 50;

/**
 * What is compared, all relaying to `nodePort`: HAProxy first where it is installed, the whole daemon as built
 * into dist/, the relay alone in both forms, and the npm proxies.
 */
export async function startSubjects(nodePort: number): Promise<Subject[]> {
  const here = import.meta.dirname;
  const node = (file: string, ...rest: string[]): string[] => [
    process.execPath,
    '--import',
    'tsx',
    join(here, file),
    ...rest,
  ];
  const directory = mkdtempSync(join(tmpdir(), 'herald-bench-'));
  const commands: [string, (port: number) => string[]][] = [
    [
      'herald',
      (port) => [process.execPath, mainFile, 'serve', '-c', writeHeraldConfig(directory, port, nodePort)],
    ],
    ['herald relay', (port) => node('relay-daemon.ts', ...portArguments(port, nodePort))],
    [
      'herald relay, plain form',
      (port) => node('relay-daemon.ts', ...portArguments(port, nodePort), '--form', 'plain'),
    ],
    ['http-proxy', (port) => node('relay-baseline.ts', 'http-proxy', ...portArguments(port, nodePort))],
    ['httpxy', (port) => node('relay-baseline.ts', 'httpxy', ...portArguments(port, nodePort))],
  ];
  if (spawnSync('haproxy', ['-v']).status === 0)
    commands.unshift([
      'haproxy',
      (port) => ['haproxy', '-db', '-f', writeHaproxyConfig(directory, port, nodePort)],
    ]);
  const subjects: Subject[] = [];
  for (const [name, command] of commands) subjects.push(await startSubject(name, command));
  rmSync(directory, { recursive: true });
  return subjects;
}

function portArguments(port: number, nodePort: number): string[] {
  return ['--listen', String(port), '--backend', `127.0.0.1:${nodePort}`];
}

const mainFile = join(import.meta.dirname, '../../dist/cli/main.js');

/** The default policy, which checks health, measures and counts: what an operator would run. */
function writeHeraldConfig(directory: string, port: number, nodePort: number): string {
  const path = join(directory, 'herald.yaml');
  writeFileSync(
    path,
    `apiVersion: herald/v1
kind: Config
workers: 0
listeners: [{ name: public, bind: '127.0.0.1:${port}' }]
intake: { bind: '127.0.0.1:0' }
admin: { socket: ./admin.sock }
log: { level: warn }
pools: { bench: { routes: [{ host: '*', path: / }], nodes: [{ id: a, address: '127.0.0.1:${nodePort}' }] } }
`,
  );
  return path;
}

/** One thread, HTTP mode and a tunnel timeout: what an operator would run for WebSockets. */
function writeHaproxyConfig(directory: string, port: number, nodePort: number): string {
  const path = join(directory, 'haproxy.cfg');
  writeFileSync(
    path,
    `global
  nbthread 1
  maxconn 9000
defaults
  mode http
  option forwardfor
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
frontend bench
  bind 127.0.0.1:${port}
  default_backend nodes
backend nodes
  balance leastconn
  server a 127.0.0.1:${nodePort}
`,
  );
  return path;
}

async function startSubject(name: string, command: (port: number) => string[]): Promise<Subject> {
  const port = await freePort();
  const [file = '', ...rest] = command(port);
  const child = spawn(file, rest, { stdio: ['ignore', 'ignore', 'inherit'] });
  await waitForPort(port, child, name);
  // It answers on its port, so it has a pid.
  const { pid = 0 } = child;
  return {
    name,
    port,
    cpuNanoseconds: () => cpuOf(pid),
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
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

/** schedstat counts nanoseconds on a CPU for each thread; `children` names the processes below. */
function cpuOf(pid: number): number {
  let total = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    const path = `/proc/${pid}/task/${task}`;
    total += Number(readFileSync(`${path}/schedstat`, 'utf8').split(' ')[0]);
    for (const below of readFileSync(`${path}/children`, 'utf8').trim().split(' '))
      if (below !== '') total += cpuOf(Number(below));
  }
  return total;
}
