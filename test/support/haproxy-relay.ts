// A real HAProxy with a configuration of the test's own. Its log goes nowhere; its end is the test's.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';

/**
 * Starts HAProxy for one test, with `sections` behind its defaults. `socket` is a path in them, where it listens; it
 * also has a TCP socket, as `fd@3`, on the port that is given back.
 */
export async function startHaproxyRelay(
  sections: (socket: string) => string,
): Promise<{ readonly socket: string; readonly port: number }> {
  const folder = await mkdtemp(join(tmpdir(), 'hx-'));
  const socket = join(folder, 'front');
  const file = join(folder, 'haproxy.cfg');
  const defaults =
    'defaults\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n  timeout tunnel 1h\n';
  await writeFile(file, `${defaults}${sections(socket)}`);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // Proof of both `as`: a server that listens on a TCP port has one, and a handle with a descriptor.
  const { port } = server.address() as AddressInfo;
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  const haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  const ended = once(haproxy, 'exit');
  onTestFinished(async () => {
    haproxy.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  await once(haproxy, 'spawn');
  server.close();
  await eventually(() => accepts(socket), Boolean);
  return { socket, port };
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
