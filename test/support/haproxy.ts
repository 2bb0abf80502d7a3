// A real HAProxy over nodes that answer agent-checks. Not a test itself.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

/** Whether this machine has an HAProxy; HERALD_TEST_LACKS says that it has none. */
export const hasHaproxy = !(process.env['HERALD_TEST_LACKS'] ?? '').split(',').includes('haproxy');

/** What HAProxy is told of a node. */
export interface HaproxyNode {
  readonly name: string;
  /** Where clients go. */
  readonly port: number;
  readonly agentPort: number;
}

/** A running HAProxy. */
export interface Haproxy {
  /** The UNIX socket where clients connect: no port to be found free, none to be taken meanwhile. */
  readonly front: string;
  /** A node's row of `show stat`, by column name. */
  row(node: string): Promise<Readonly<Record<string, string>>>;
  /** Waits until a node's row has this status and weight. */
  until(node: string, status: string, weight: number): Promise<void>;
}

/** Starts HAProxy for one test, which ends it. Every agent is asked five times a second. */
export async function startHaproxy(balance: string, nodes: readonly HaproxyNode[]): Promise<Haproxy> {
  const folder = await mkdtemp(join(tmpdir(), 'herald-haproxy-'));
  const front = join(folder, 'front');
  const stats = join(folder, 'stats');
  const lines = nodes.map(
    ({ name, port, agentPort }) =>
      `  server ${name} 127.0.0.1:${port} weight 100 check inter 200ms agent-check agent-port ${agentPort} agent-inter 200ms agent-send "nodes/${name}\\n"`,
  );
  await writeFile(
    join(folder, 'haproxy.cfg'),
    `global
  stats socket ${stats} mode 600 level admin
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 1h
frontend front
  bind unix@${front}
  default_backend nodes
backend nodes
  balance ${balance}
${lines.join('\n')}
`,
  );
  const haproxy = spawn('haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], { stdio: 'ignore' });
  const ended = once(haproxy, 'exit');
  onTestFinished(async () => {
    haproxy.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  await once(haproxy, 'spawn');
  const row = async (node: string) => rowOf(await ask(stats, 'show stat'), node);
  const [first] = nodes;
  if (first !== undefined) await eventually(() => row(first.name), Boolean);
  return {
    front,
    row,
    async until(node, status, weight) {
      await eventually(
        () => row(node),
        (found) => found['status'] === status && found['weight'] === `${weight}`,
      );
    },
  };
}

/** One command, and all that is answered. */
async function ask(socketPath: string, command: string): Promise<string> {
  const socket = connect(socketPath);
  socket.write(`${command}\n`);
  return text(socket);
}

function rowOf(csv: string, node: string): Readonly<Record<string, string>> {
  const [head = '', ...rows] = csv.split('\n').map((line) => line.split(','));
  const names = Array.isArray(head) ? head : [];
  const found = rows.find(([proxy, server]) => proxy === 'nodes' && server === node);
  if (found === undefined) throw new Error(`no row of ${node}: ${csv.slice(0, 200)}`);
  return Object.fromEntries(names.map((name, index) => [name.replace('# ', ''), found[index] ?? '']));
}
