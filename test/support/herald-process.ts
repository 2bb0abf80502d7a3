// A balancer as its users have it: the built `herald serve` in a process of its own, on free loopback ports, with
// a configuration in a directory of its own.
import { rmSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { NodeDetail, NodeList } from '../../src/protocol/admin-api.ts';
import { eventually } from './eventually.ts';
import { runCommand, startCommand, type CommandEnd, type RunningCommand } from './herald-command.ts';
import { writeIn, writeSetup, type HeraldSetup } from './herald-setup.ts';
import { readPage } from './prometheus-page.ts';
import { until } from './until.ts';

/** One line of the log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

/** A running balancer. */
export interface HeraldProcess {
  readonly publicPort: number;
  readonly intakePort: number;
  readonly intakeUrl: string;
  readonly socketPath: string;
  /** Directory of herald.yaml. */
  readonly folder: string;
  readonly pid: number;
  /** Every log line since the first start. */
  readonly logs: readonly LogLine[];
  /** Runs `herald` with this balancer's socket in HERALD_SOCKET. */
  cli(...args: string[]): Promise<CommandEnd>;
  /** An answer of the admin socket. */
  admin<Answer>(path: string): Promise<Answer>;
  /** Nodes of a pool by id, `chat` by default. */
  nodes(pool?: string): Promise<Record<string, NodeDetail>>;
  /** Waits until exactly these nodes of `chat` may take connections. */
  eligible(...ids: string[]): Promise<void>;
  /** Value by series of /metrics. */
  metrics(): Promise<ReadonlyMap<string, number>>;
  /** Writes a file beside herald.yaml. */
  write(name: string, content: object | string): void;
  /** Waits for a log line with this message, from line `from` on. */
  logged(msg: string, from?: number): Promise<LogLine>;
  signal(signal: NodeJS.Signals): void;
  ended(): Promise<CommandEnd>;
  /** Ends it, at once unless another signal is given, and starts it again on the same ports; `between` comes in the middle. */
  restart(how?: { signal?: NodeJS.Signals; between?: () => void }): Promise<void>;
  /** SIGTERM and the end; its directory is removed. Idempotent. */
  stop(): Promise<CommandEnd>;
}

/** Starts a balancer for one test, which ends it. */
export async function aHerald(setup: HeraldSetup = {}): Promise<HeraldProcess> {
  const herald = await startHerald(setup);
  onTestFinished(async () => void (await herald.stop()));
  return herald;
}

/** Starts a balancer; resolves when every listener listens. The caller stops it. */
export async function startHerald(setup: HeraldSetup = {}): Promise<HeraldProcess> {
  const folder = writeSetup(setup);
  const socketPath = join(folder, 'h.sock');
  const logs: LogLine[] = [];
  let command = serve(setup, { folder, logs, env: {} });
  const ports = await listening(command, logs, 0).catch(async (error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const samePorts = {
    HERALD_LISTENERS_PUBLIC_BIND: `127.0.0.1:${ports.public}`,
    HERALD_INTAKE_BIND: `127.0.0.1:${ports.intake}`,
  };
  const admin = <Answer>(path: string) => getJson(socketPath, path) as Promise<Answer>;
  const nodes = async (pool = 'chat') => {
    const { nodes: list } = await admin<NodeList>(`/v1/pools/${pool}/nodes`);
    return Object.fromEntries(list.map((node) => [node.id, node]));
  };
  let end: Promise<CommandEnd> | undefined;
  return {
    publicPort: ports.public,
    intakePort: ports.intake,
    intakeUrl: `http://127.0.0.1:${ports.intake}`,
    socketPath,
    folder,
    logs,
    get pid() {
      return command.pid;
    },
    cli: (...args) => runCommand(args, { cwd: folder, env: { HERALD_SOCKET: socketPath } }),
    admin,
    nodes,
    async eligible(...ids) {
      const wanted = ids.toSorted().join();
      await eventually(nodes, (seen) => eligibleIds(seen).join() === wanted);
    },
    async metrics() {
      const answer = await fetch(`http://127.0.0.1:${ports.intake}/metrics`);
      return readPage(await answer.text()).samples;
    },
    write: (name, content) => writeIn(folder, name, content),
    async logged(msg, from = 0) {
      const found = () => logs.slice(from).find((line) => line.msg === msg);
      await until(
        () => found() !== undefined,
        () => `no line '${msg}' in ${JSON.stringify(logs.slice(from))}`,
        15_000,
      );
      // Proof of `as`: just found, and lines are only added.
      return found() as LogLine;
    },
    signal: (signal) => void command.child.kill(signal),
    ended: () => command.ended(),
    async restart({ signal = 'SIGKILL', between = () => {} } = {}) {
      command.child.kill(signal);
      await command.ended();
      between();
      const from = logs.length;
      command = serve(setup, { folder, logs, env: samePorts });
      await listening(command, logs, from);
    },
    stop: () =>
      (end ??= (async () => {
        command.child.kill('SIGTERM');
        try {
          return await command.ended(15_000);
        } finally {
          rmSync(folder, { recursive: true, force: true });
        }
      })()),
  };
}

function eligibleIds(nodes: Record<string, NodeDetail>): string[] {
  return Object.values(nodes)
    .filter(({ ineligible }) => ineligible === null)
    .map(({ id }) => id)
    .toSorted();
}

function serve(
  { graceSeconds = 0, env: wished }: HeraldSetup,
  { folder, logs, env }: { folder: string; logs: LogLine[]; env: Record<string, string> },
): RunningCommand {
  let rest = '';
  return startCommand(['serve', '-c', join(folder, 'herald.yaml'), '--grace', String(graceSeconds)], {
    env: { ...env, ...wished },
    onStdout(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      // A line that is no JSON is told by whoever waits for another.
      for (const line of lines) logs.push(parseLine(line));
    },
  });
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: 60, msg: `not JSON: ${line}` };
  }
}

/** Ports of the listeners `public` and `intake` once it serves; rejects with its stderr when it ends instead. */
async function listening(
  command: RunningCommand,
  logs: readonly LogLine[],
  from: number,
): Promise<{ public: number; intake: number }> {
  const since = () => logs.slice(from);
  const isOver = () => command.child.exitCode !== null || command.child.signalCode !== null;
  await until(
    () => isOver() || since().some(({ msg }) => msg === 'serving'),
    () => `does not serve: ${JSON.stringify(since())} ${command.stderr}`,
    20_000,
  );
  if (isOver()) throw new Error(`ended instead of serving: ${(await command.ended()).stderr}`);
  const portOf = (listener: string) =>
    Number(since().find((line) => line.msg === 'listening' && line['listener'] === listener)?.['port']);
  return { public: portOf('public'), intake: portOf('intake') };
}

function getJson(socketPath: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, host: 'localhost', timeout: 5000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(JSON.parse(text));
        else reject(new Error(`${path}: ${response.statusCode} ${text}`));
      });
    });
    asked.on('timeout', () => asked.destroy(new Error(`${path}: no answer`)));
    asked.on('error', reject);
    asked.end();
  });
}
