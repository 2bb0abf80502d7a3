// A real redis-server under the test's control, and commands for it. Not a test itself.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

/** Whether tests of Redis are skipped here: scripts/test.mjs installs it where it may, and tells what is skipped. */
export const lacksRedis = (process.env['HERALD_TEST_LACKS'] ?? '').split(',').includes('redis-server');

/** A running redis-server. */
export interface RedisServer {
  readonly port: number;
  /** One command, over a connection of its own. */
  ask(...command: readonly string[]): Promise<unknown>;
  /** Ends the process as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again on the same port after `kill`, empty. */
  restart(): Promise<void>;
  /** SIGSTOP: the kernel still accepts connections and bytes, nobody answers. */
  pause(): void;
  resume(): void;
  /** Ends it and removes its directory; called by the test that asked for it, unless `isShared`. */
  end(): Promise<void>;
}

/** What a server may be told beside its port. */
export interface RedisOptions {
  /** Lines of redis.conf. */
  readonly lines?: readonly string[];
  /** How `ask` comes in, where the server asks for it. */
  readonly password?: string;
  /** Started as `--sentinel`. */
  readonly isSentinel?: boolean;
  /** By default a port that is free. */
  readonly port?: number;
  /** It outlives the test; whoever started it ends it. */
  readonly isShared?: boolean;
}

/** Starts redis-server, by default for one test. Nothing is saved. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { lines = [], password, isSentinel = false } = options;
  const folder = await mkdtemp(join(tmpdir(), 'herald-redis-'));
  const port = options.port ?? (await freePort());
  let child: ChildProcess | undefined;
  const ask = async (...command: readonly string[]) => {
    const redis = new Redis({
      host: '127.0.0.1',
      port,
      lazyConnect: true,
      retryStrategy: () => null,
      ...(password === undefined ? {} : { password }),
    });
    redis.on('error', () => {});
    try {
      const [name = '', ...rest] = command;
      return await redis.call(name, rest);
    } finally {
      redis.disconnect();
    }
  };
  const start = async () => {
    const file = join(folder, 'redis.conf');
    const saving = isSentinel ? [] : ['save ""', 'appendonly no'];
    const all = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, 'daemonize no', ...saving, ...lines];
    await writeFile(file, `${all.join('\n')}\n`);
    child = spawn('redis-server', [file, ...(isSentinel ? ['--sentinel'] : [])], { stdio: 'ignore' });
    await once(child, 'spawn');
    await eventually(
      () => ask('PING'),
      (answer) => answer === 'PONG',
    );
  };
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  const end = async () => {
    await kill();
    await rm(folder, { recursive: true, force: true });
  };
  if (options.isShared !== true) onTestFinished(end);
  await start();
  return {
    port,
    ask,
    kill,
    end,
    restart: start,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
  };
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Proof of `as`: bound to a TCP port.
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

/** A Cluster of one server that has all slots. */
export async function startRedisCluster(options: RedisOptions = {}): Promise<RedisServer> {
  const port = await freePort();
  const lines = ['cluster-enabled yes', 'cluster-announce-ip 127.0.0.1', `cluster-port ${await freePort()}`];
  const server = await startRedis({ ...options, port, lines: [...lines, ...(options.lines ?? [])] });
  await server.ask('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  await eventually(
    () => server.ask('CLUSTER', 'INFO'),
    (info) => String(info).includes('cluster_state:ok'),
  );
  return server;
}
