import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createSystemClock } from '../../../src/platform/system-clock.ts';
import { watchFiles } from '../../../src/platform/watch-directory.ts';
import { aFolder } from './folder.ts';

interface Watching {
  /** Changes told so far. */
  count(): number;
  /** Waits until `count` changes have been told. */
  until(count: number): Promise<void>;
  close(): void;
}

async function watching(options: { paths?: string[]; directories?: string[] }): Promise<Watching> {
  const onChange = vi.fn();
  const watch = watchFiles({ ...options, clock: createSystemClock(), onChange });
  onTestFinished(() => watch.close());
  await watch.ready;
  return {
    count: () => onChange.mock.calls.length,
    until: (count) =>
      vi.waitFor(() => expect(onChange).toHaveBeenCalledTimes(count), { timeout: 20_000, interval: 10 }),
    close: () => watch.close(),
  };
}

it('tells when a file is written over', async () => {
  const folder = aFolder({ 'a.yaml': 'one' });
  const watch = await watching({ paths: [join(folder, 'a.yaml')] });
  writeFileSync(join(folder, 'a.yaml'), 'two');
  await watch.until(1);
});

it('tells when another file is renamed over it, time and again', async () => {
  const folder = aFolder({ 'a.yaml': 'one' });
  const watch = await watching({ paths: [join(folder, 'a.yaml')] });
  for (const [index, content] of ['two', 'three', 'four'].entries()) {
    writeFileSync(join(folder, '.a.yaml.swp'), content);
    renameSync(join(folder, '.a.yaml.swp'), join(folder, 'a.yaml'));
    await watch.until(index + 1);
  }
});

it('tells when Kubernetes swaps the link behind a mounted ConfigMap', async () => {
  const folder = aFolder({ '..2026_1/a.yaml': 'one', '..2026_2/a.yaml': 'two' });
  symlinkSync('..2026_1', join(folder, '..data'));
  symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
  const watch = await watching({ directories: [folder] });
  symlinkSync('..2026_2', join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  rmSync(join(folder, '..2026_1'), { recursive: true });
  await watch.until(1);
});

it('tells when a file of a directory comes and goes', async () => {
  const folder = aFolder({ 'a.yaml': 'one' });
  const watch = await watching({ directories: [folder] });
  writeFileSync(join(folder, 'b.yml'), 'two');
  await watch.until(1);
  unlinkSync(join(folder, 'b.yml'));
  await watch.until(2);
});

it('tells when a directory is replaced by another of its name, and goes on with the new one', async () => {
  const folder = aFolder({ 'policies/a.yaml': 'one', 'next/a.yaml': 'two', 'herald.yaml': '' });
  const policies = join(folder, 'policies');
  const watch = await watching({ directories: [policies], paths: [join(folder, 'herald.yaml')] });
  renameSync(policies, join(folder, 'old'));
  renameSync(join(folder, 'next'), policies);
  await watch.until(1);
  writeFileSync(join(policies, 'a.yaml'), 'three');
  await watch.until(2);
});

it('tells nothing while the bytes stay the same, whatever is touched', async () => {
  const folder = aFolder({ 'a.yaml': 'one', 'notes.txt': 'one' });
  const watch = await watching({ directories: [folder] });
  writeFileSync(join(folder, 'a.yaml'), 'one');
  writeFileSync(join(folder, 'notes.txt'), 'two');
  writeFileSync(join(folder, '.a.yaml.swp'), 'two');
  mkdirSync(join(folder, 'inner'));
  // The events of all this come before those of a change that counts: one call means that they made none.
  writeFileSync(join(folder, 'a.yaml'), 'two');
  await watch.until(1);
});

it('waits for a directory that does not exist yet', async () => {
  const folder = aFolder();
  const watch = await watching({
    directories: [join(folder, 'policies')],
    paths: [join(folder, 'herald.yaml')],
  });
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'policies/a.yaml'), 'one');
  await watch.until(1);
});

it('tells nothing after it is closed, and may be closed twice', async () => {
  const folder = aFolder({ 'a.yaml': 'one' });
  const closed = await watching({ directories: [folder] });
  const open = await watching({ directories: [folder] });
  closed.close();
  closed.close();
  writeFileSync(join(folder, 'a.yaml'), 'two');
  await open.until(1);
  expect(closed.count()).toBe(0);
});
