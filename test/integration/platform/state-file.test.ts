import { chmod, mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createStateFile } from '../../../src/platform/state-file.ts';
import { aFolder } from './folder.ts';

describe('a state file', () => {
  it('that was never written is absent, also where its directory is', async () => {
    expect(await createStateFile(join(aFolder(), 'no', 'state.json')).read()).toEqual({ kind: 'absent' });
  });

  it('reads what was written last, is its owner’s alone, and leaves nothing beside it', async () => {
    const folder = aFolder();
    const path = join(folder, 'run', 'state.json');
    const file = createStateFile(path);
    await file.write('one, which is longer');
    await file.write('two ✓');
    expect(await file.read()).toEqual({ kind: 'text', text: 'two ✓' });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, 'run'))).mode & 0o777).toBe(0o700);
    expect(await readdir(join(folder, 'run'))).toEqual(['state.json']);
  });

  it('is replaced, not written into: what a killed balancer left half written does not matter', async () => {
    const folder = aFolder();
    const path = join(folder, 'state.json');
    const file = createStateFile(path);
    await file.write('whole');
    const { ino } = await stat(path);
    await writeFile(`${path}.tmp`, 'hal');
    expect(await file.read()).toEqual({ kind: 'text', text: 'whole' });
    await file.write('next');
    expect((await stat(path)).ino).not.toBe(ino);
    expect(await readdir(folder)).toEqual(['state.json']);
  });

  it('is put aside under one name, the newest one in place of an older', async () => {
    const folder = aFolder();
    const path = join(folder, 'state.json');
    const file = createStateFile(path);
    for (const text of ['first', 'second']) {
      await writeFile(path, text);
      expect(await file.setAside()).toBe(`${path}.bad`);
    }
    expect(await readdir(folder)).toEqual(['state.json.bad']);
    expect(await readFile(`${path}.bad`, 'utf8')).toBe('second');
  });

  it('that is no text of ours is foreign: bytes, or too many of them', async () => {
    const path = join(aFolder(), 'state.json');
    await writeFile(path, Buffer.from([0xff, 0xfe, 0x00]));
    expect(await createStateFile(path).read()).toEqual({ kind: 'foreign', reason: 'it is not UTF-8 text' });
    await writeFile(path, Buffer.alloc(8 * 1024 * 1024 + 1, 0x20));
    expect(await createStateFile(path).read()).toEqual({
      kind: 'foreign',
      reason: 'it is larger than 8 MiB',
    });
  });

  it('that is no file at all is left alone', async () => {
    const folder = aFolder();
    await mkdir(join(folder, 'directory'));
    await symlink('loop', join(folder, 'loop'));
    await writeFile(join(folder, 'file'), '');
    for (const name of ['directory', 'loop', 'file/state.json'])
      expect(await createStateFile(join(folder, name)).read()).toMatchObject({ kind: 'unreadable' });
  });

  it('that cannot be written rejects and leaves the old one as it was', async () => {
    const folder = aFolder();
    const path = join(folder, 'state.json');
    const file = createStateFile(path);
    await file.write('old');
    await expect(file.write('x'.repeat(8 * 1024 * 1024 + 1))).rejects.toThrow('more than');
    // A directory in the way of the temporary file stops everybody, also a user who may write anywhere.
    await mkdir(`${path}.tmp`);
    await chmod(`${path}.tmp`, 0o700);
    await expect(file.write('new')).rejects.toThrow();
    expect(await file.read()).toEqual({ kind: 'text', text: 'old' });
  });
});
