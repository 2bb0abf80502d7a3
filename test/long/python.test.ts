// WebSocket clients of Debian's Python over a drain: what they do by themselves, and what they are told.
import type { Server } from 'node:http';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { aClientHouse, greetingSockets, otherThan } from '../support/a-client-house.ts';
import { startProcess, type RunningCommand } from '../support/herald-command.ts';
import { until } from '../support/until.ts';

const lacks = (process.env['HERALD_TEST_LACKS'] ?? '').split(',');

/** Greets with its id, pings, and echoes. */
function echoNode(id: string, server: Server): void {
  greetingSockets(id, server).on('connection', (socket) => socket.ping('are you there'));
}

function runPython(script: string, port: number): RunningCommand {
  const path = fileURLToPath(new URL(`../integration/fixtures/${script}`, import.meta.url));
  const run = startProcess('/usr/bin/python3', [path, `ws://127.0.0.1:${port}/chat`]);
  onTestFinished(async () => {
    run.child.kill('SIGKILL');
    await run.ended();
  });
  return run;
}

/** Waits until it has said so many whole lines. */
async function lines(run: RunningCommand, count: number): Promise<string[]> {
  const said = () => run.stdout.split('\n').slice(0, -1);
  await until(
    () => said().length >= count || run.child.exitCode !== null,
    () => JSON.stringify([run.stdout, run.stderr]),
    20_000,
  );
  return said();
}

describe("Debian's python3-autobahn", () => {
  it.skipIf(lacks.includes('python3-autobahn'))(
    'talks all of the protocol, hears the goodbye of a drain and comes back elsewhere (skipped: it is not there)',
    async () => {
      const { port, drain } = await aClientHouse(echoNode);
      const run = runPython('autobahn-client.py', port);
      const [home = ''] = await lines(run, 1);
      await drain(home);
      const [, told = run.stderr] = await lines(run, 2);
      expect(JSON.parse(told)).toEqual({
        homes: [home, otherThan(home)],
        subprotocol: 'chat.v2',
        extensions: ['permessage-deflate'],
        binary: 300_000,
        text: 'grüße',
        fragments: 'one two three',
        numbers: 200,
        ping: 'are you there',
        close: [true, 1012, 'reconnect retry-ms=N'],
      });
    },
  );
});

describe("Debian's python3-websockets", () => {
  it.skipIf(lacks.includes('python3-websockets'))(
    'whose connect() iterates comes back elsewhere by itself after a drain (skipped: it is not there)',
    async () => {
      const { port, drain } = await aClientHouse(echoNode);
      const run = runPython('reconnecting-websockets.py', port);
      const home = (await lines(run, 1))[0]?.replace('home ', '') ?? '';
      await drain(home);
      expect(await lines(run, 3)).toEqual([`home ${home}`, 'closed 1012', `home ${otherThan(home)}`]);
    },
  );
});
