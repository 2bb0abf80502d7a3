// An MQTT broker of the system that listens for WebSocket clients, or for MQTT itself.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { eventually } from './eventually.ts';
import { startProcess } from './herald-command.ts';
import { freePort } from './redis-server.ts';

/** Whether this machine has no mosquitto; HERALD_TEST_LACKS says so. */
export const lacksMosquitto = (process.env['HERALD_TEST_LACKS'] ?? '').split(',').includes('mosquitto');

/** Starts a broker for one test, which ends it. Its port, which takes that protocol alone. */
export async function startMosquitto(protocol: 'websockets' | 'mqtt' = 'websockets'): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'herald-mqtt-'));
  const port = await freePort();
  const file = join(folder, 'mosquitto.conf');
  const lines = [
    'persistence false',
    'allow_anonymous true',
    // Started by root it would become a user who may not write here.
    'user root',
    // It does not count listeners for WebSocket, and ends where it has no other one.
    `listener 0 ${join(folder, 's')}`,
    `listener ${port} 127.0.0.1`,
    `protocol ${protocol}`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const broker = startProcess('mosquitto', ['-c', file], {
    env: { PATH: `${process.env['PATH']}:/usr/sbin` },
  });
  onTestFinished(async () => {
    broker.child.kill('SIGKILL');
    await broker.ended().catch(() => {});
    rmSync(folder, { recursive: true, force: true });
  });
  await eventually(
    () => listens(port),
    (isThere) => isThere,
  );
  return port;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
