// The sidecar under systemd, by what comes over its socket. A fake one listens in systemd's place.
import { chmodSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startStubBalancer } from '../integration/agent/stub-balancer.ts';
import { aFolder } from '../integration/platform/folder.ts';
import { eventually } from '../support/eventually.ts';
import { startProcess } from '../support/herald-command.ts';
import { aSidecar, anAgentFile } from '../support/sidecar-process.ts';

const listen = `
import socket, sys
end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
end.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(end.recv(4096).decode().replace("\\n", " "), flush=True)
`;

/** Where states arrive: a datagram socket where both programs are there, else a program that writes them to a file. */
async function aManager(): Promise<{ env: Record<string, string>; states: () => string }> {
  const folder = aFolder();
  const path = join(folder, 'notify');
  const hasBoth = ['systemd-notify', 'python3'].every(
    (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0,
  );
  if (hasBoth) {
    const socket = startProcess('python3', ['-c', listen, path]);
    onTestFinished(() => void socket.child.kill('SIGKILL'));
    await eventually(
      () => socket.stdout,
      (text) => text.includes('bound'),
    );
    return { env: { NOTIFY_SOCKET: path }, states: () => socket.stdout };
  }
  const told = join(folder, 'told');
  writeFileSync(told, '');
  writeFileSync(join(folder, 'systemd-notify'), `#!/bin/sh\necho "$*" >> ${told}\n`);
  chmodSync(join(folder, 'systemd-notify'), 0o755);
  const { readFileSync } = await import('node:fs');
  return {
    env: { NOTIFY_SOCKET: path, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` },
    states: () => readFileSync(told, 'utf8'),
  };
}

describe('a sidecar under systemd', () => {
  it('is ready with the first report that is taken, feeds the watchdog, and says that it stops', async () => {
    const stub = await startStubBalancer();
    onTestFinished(() => stub.close());
    let mayAnswer = false;
    const { answer } = stub;
    stub.answer = (response, request) => {
      if (mayAnswer) answer(response, request);
      else response.writeHead(503).end();
    };
    const { env, states } = await aManager();
    const file = anAgentFile({ balancers: [stub.url], node: { port: 81 }, measure: 'host' });
    const sidecar = aSidecar(file, { env: { ...env, WATCHDOG_USEC: '600000' } });
    await sidecar.logged({ msg: 'reports are not taken' });
    expect(states()).not.toContain('READY=1');
    mayAnswer = true;
    await eventually(states, (text) => text.includes('READY=1') && text.includes('WATCHDOG=1'));
    sidecar.signal('SIGTERM');
    expect((await sidecar.ended()).code).toBe(0);
    await eventually(states, (text) => text.includes('STOPPING=1'));
    expect(sidecar.logs.filter(({ msg }) => msg === 'systemd cannot be told')).toEqual([]);
  });

  it('goes on when systemd-notify is not there, and says so once', async () => {
    const folder = aFolder();
    const agentCheck = { bind: '127.0.0.1:0' };
    const file = anAgentFile({ node: { port: 81 }, measure: 'host', agentCheck });
    const sidecar = aSidecar(file, {
      env: { NOTIFY_SOCKET: '/nowhere', PATH: folder, WATCHDOG_USEC: '200000' },
    });
    const line = await sidecar.logged({ msg: 'systemd cannot be told' });
    expect(line['reason']).toContain('ENOENT');
    sidecar.signal('SIGTERM');
    expect((await sidecar.ended()).code).toBe(0);
    expect(sidecar.logs.filter(({ msg }) => msg === 'systemd cannot be told')).toHaveLength(1);
  });
});
