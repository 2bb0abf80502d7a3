// What a program tells systemd: a fake one listens in systemd's place.
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { onTestFinished } from 'vitest';
import { aFolder } from '../integration/platform/folder.ts';
import { eventually } from './eventually.ts';
import { startProcess } from './herald-command.ts';

const listen = `
import socket, sys
end = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
end.bind(sys.argv[1])
print("bound", flush=True)
while True:
    print(end.recv(4096).decode().replace("\\n", " "), flush=True)
`;

/** Where states arrive: a datagram socket where both programs are there, else a program that writes them to a file. */
export async function aManager(): Promise<{ env: Record<string, string>; states: () => string }> {
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
  return {
    env: { NOTIFY_SOCKET: path, PATH: `${folder}${delimiter}${process.env['PATH'] ?? ''}` },
    states: () => readFileSync(told, 'utf8'),
  };
}
