// All cases at one HAProxy: a frontend, a backend and a node for each.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../../support/until.ts';
import type { HygieneCase, Outcome } from './case.ts';
import { limits, observe } from './observe.ts';
import { startRecordingNode } from './recording-node.ts';

/** The version of the HAProxy here, such as `2.6.12-1+deb12u4`. */
export function haproxyVersion(): string {
  const { stdout } = spawnSync('haproxy', ['-v'], { encoding: 'utf8' });
  return /version (\S+)/.exec(stdout)?.[1] ?? '';
}

// As near to Herald as its configuration comes: the same limits of time, nothing else beyond the defaults.
function configText(folder: string, ports: readonly number[]): string {
  const sections = ports.map(
    (port, index) => `listen case${index}
  bind unix@${join(folder, `front${index}`)}
  server node 127.0.0.1:${port}
`,
  );
  return `global
  tune.bufsize 16384
defaults
  mode http
  timeout connect 2s
  timeout client ${limits.requestIdleMs}ms
  timeout server ${limits.requestIdleMs}ms
  timeout http-request ${limits.headMs}ms
  timeout http-keep-alive ${limits.keepAliveMs}ms
  timeout tunnel 5s
${sections.join('')}`;
}

/** The outcome of each case, in their order. */
export async function runAtHaproxy(cases: readonly HygieneCase[]): Promise<Outcome[]> {
  const folder = await mkdtemp(join(tmpdir(), 'herald-hygiene-'));
  const nodes = await Promise.all(cases.map(startRecordingNode));
  const file = join(folder, 'haproxy.cfg');
  await writeFile(
    file,
    configText(
      folder,
      nodes.map(({ port }) => port),
    ),
  );
  const haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  const ended = once(haproxy, 'exit');
  try {
    await until(
      () => cases.every((_, index) => existsSync(join(folder, `front${index}`))),
      () => 'HAProxy has not started',
    );
    return await Promise.all(
      cases.map((hygieneCase, index) => {
        const [node, path] = [nodes[index], join(folder, `front${index}`)];
        if (node === undefined) throw new Error('one node for each case');
        return observe(hygieneCase, { path }, node);
      }),
    );
  } finally {
    haproxy.kill('SIGKILL');
    await ended;
    await Promise.all(nodes.map((node) => node.close()));
    await rm(folder, { recursive: true, force: true });
  }
}
