// Files as a real file system has them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readSmallFile } from '../../../src/agent/sources/read-file.ts';
import type { SourceConfig } from '../../../src/policy/agent-config.ts';
import { type SourcesRoom, startSources } from './sources-room.ts';

const cleanups: (() => unknown)[] = [];
let folder = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'herald-sources-'));
});

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  rmSync(folder, { recursive: true });
});

async function aRoom(path: string, more: object = {}): Promise<SourcesRoom> {
  const base = {
    kind: 'file',
    path,
    maxBytes: 64,
    maxAgeMs: Number.POSITIVE_INFINITY,
    as: 'gauge',
    scale: 1,
  };
  // The parts above are those of a file's configuration.
  const room = await startSources({ s: { ...base, ...more } as SourceConfig });
  cleanups.push(() => room.sources.stop());
  return room;
}

it('a file is read anew each interval, written in place or replaced', async () => {
  const path = join(folder, 'queue');
  writeFileSync(path, '1\n');
  const room = await aRoom(path);
  await room.value(1);
  writeFileSync(path, '2\n');
  room.pass();
  await room.value(2);
  writeFileSync(`${path}.new`, '3\n');
  renameSync(`${path}.new`, path);
  room.pass();
  await room.value(3);
});

it('a file that is not there yet is missing until it is', async () => {
  const path = join(folder, 'queue');
  const room = await aRoom(path);
  expect(await room.missing('ENOENT')).toBe(
    `file ${path}: it cannot be read (ENOENT): there is no such file: is its writer running?`,
  );
  writeFileSync(path, '1\n');
  room.pass();
  await room.value(1);
  expect(room.sources.stats).toMatchObject({ asked: 2, failed: 1 });
});

it('a half-written file is missing until it is whole', async () => {
  const path = join(folder, 'queue');
  const room = await aRoom(path);
  await room.missing('ENOENT');
  for (const [content, reason] of [
    ['', 'it is empty'],
    ['12', 'half written'],
  ] as const) {
    writeFileSync(path, content);
    room.pass();
    await room.missing(reason);
  }
  writeFileSync(path, '1234\n');
  room.pass();
  await room.value(1234);
});

it('a file that is too long is not read to its end', async () => {
  const path = join(folder, 'queue');
  writeFileSync(path, `1${' '.repeat(62)}\n`);
  const room = await aRoom(path);
  await room.value(1);
  writeFileSync(path, `1${' '.repeat(63)}\n`);
  room.pass();
  await room.missing('it is longer than 64 bytes');
});

it('a FIFO, which would block its reader, is refused', async () => {
  const path = join(folder, 'fifo');
  execFileSync('mkfifo', [path]);
  const room = await aRoom(path);
  await room.missing('it is a FIFO: only regular files are read');
});

it('directories, devices and sockets are refused', async () => {
  const socket = createServer().listen(join(folder, 'socket'));
  await once(socket, 'listening');
  cleanups.push(() => socket.close());
  for (const [path, kind] of [
    [folder, 'a directory'],
    ['/dev/zero', 'a device'],
    ['/dev/tty', 'a device'],
    [join(folder, 'socket'), 'a socket'],
  ] as const) {
    expect(await readSmallFile(path, 64)).toEqual({ missing: `it is ${kind}: only regular files are read` });
  }
});

it('symbolic links are followed to what they mean, and no further', async () => {
  writeFileSync(join(folder, 'queue'), '5\n');
  symlinkSync('queue', join(folder, 'link'));
  symlinkSync('circle', join(folder, 'circle'));
  symlinkSync('/dev/zero', join(folder, 'zero'));
  expect(await readSmallFile(join(folder, 'link'), 64)).toMatchObject({ text: '5\n' });
  expect(await readSmallFile(join(folder, 'circle'), 64)).toEqual({
    missing: expect.stringContaining('(ELOOP): its symbolic links lead in a circle'),
  });
  expect(await readSmallFile(join(folder, 'zero'), 64)).toEqual({
    missing: expect.stringContaining('a device'),
  });
});

it('a file whose size is not told, such as those of /proc, is read', async () => {
  expect(await readSmallFile('/proc/sys/kernel/pid_max', 64)).toMatchObject({
    text: expect.stringMatching(/^\d+\n$/),
  });
});

it('a file that nobody has written for too long is missing', async () => {
  const path = join(folder, 'queue');
  writeFileSync(path, '1\n');
  // The test's clock tells a date in 2023; this is a quarter of an hour before it.
  utimesSync(path, 1_700_000_000 - 900, 1_700_000_000 - 900);
  const room = await aRoom(path, { maxAgeMs: 60_000 });
  await room.missing('last written 900 s ago: is its writer running?');
  writeFileSync(path, '2\n');
  room.pass();
  await room.value(2);
});
