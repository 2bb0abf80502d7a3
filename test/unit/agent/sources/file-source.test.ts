import { describe, expect, it } from 'vitest';
import { FileSource, type FileSourceConfig } from '../../../../src/agent/sources/file-source.ts';
import type { FileText } from '../../../../src/agent/sources/read-file.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const wallMs = 1_700_000_000_000;

/** A file that the test writes; `writtenMs` is its mtime by the ManualClock's wall time. */
function aFile(config: Partial<FileSourceConfig> = {}) {
  const clock = new ManualClock();
  const file = { content: { text: '1\n', mtimeMs: wallMs } as FileText | Promise<FileText> };
  const source = new FileSource({
    config: {
      kind: 'file',
      path: '/run/app/queue',
      maxBytes: 64,
      maxAgeMs: 10_000,
      as: 'gauge',
      scale: 1,
      ...config,
    },
    clock,
    intervalMs: 1000,
    readFile: async () => file.content,
  });
  return {
    source,
    clock,
    write(text: string, writtenMs = clock.nowMs()) {
      file.content = { text, mtimeMs: wallMs + writtenMs };
    },
    fail(missing: string) {
      file.content = { missing };
    },
    hang() {
      file.content = new Promise(() => {});
    },
    async second() {
      clock.advance(1000);
      await settle();
    },
    read: () => source.read(clock.nowMs()),
  };
}

/** Lets a look that is already answered come to its end. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await Promise.resolve();
}

const missing = (text: string) => ({ missing: expect.stringContaining(text) });

describe('a gauge in a file', () => {
  it('is its number, scaled', async () => {
    const file = aFile({ scale: 1000 });
    expect(file.read()).toEqual({ missing: 'file /run/app/queue: not looked at yet' });
    file.write('  0.25 \n');
    file.source.start();
    await settle();
    expect(file.read()).toEqual({ value: 250 });
  });

  it.each([
    ['', 'it is empty'],
    ['\n', 'it is empty'],
    ['12', 'does not end with a line feed'],
    ['12\n13\n', 'holds "12?13", not one number alone'],
    ['12 apples\n', 'holds "12 apples"'],
    ['{"value":1}\n', 'not one number alone'],
    ['NaN\n', 'holds "NaN"'],
    ['\u001b[2J\n', 'holds "?[2J"'],
    ['-1\n', 'the value is -1'],
    ['1e13\n', 'the value is 10000000000000'],
  ])('of %j is missing: %s', async (text, reason) => {
    const file = aFile();
    file.write(text);
    file.source.start();
    await settle();
    expect(file.read()).toEqual(missing(reason));
    file.write('3\n', 1);
    await file.second();
    expect(file.read()).toEqual({ value: 3 });
  });

  it('is missing at once when the file has gone', async () => {
    const file = aFile();
    file.source.start();
    await settle();
    await file.second();
    file.fail('it cannot be read (ENOENT)');
    await file.second();
    expect(file.read()).toEqual({ missing: 'file /run/app/queue: it cannot be read (ENOENT)' });
    expect(file.source.counts).toEqual({ asked: 3, failed: 1 });
  });

  it('is missing when nobody has written it for too long', async () => {
    const file = aFile();
    file.source.start();
    await settle();
    for (let i = 0; i < 10; i++) await file.second();
    expect(file.read()).toEqual({ value: 1 });
    await file.second();
    expect(file.read()).toEqual(missing('last written 11 s ago'));
    file.write('1\n');
    await file.second();
    expect(file.read()).toEqual({ value: 1 });
  });

  it('of any age counts where the age does not matter', async () => {
    const file = aFile({ maxAgeMs: Number.POSITIVE_INFINITY });
    file.write('1\n', -1e10);
    file.source.start();
    await settle();
    expect(file.read()).toEqual({ value: 1 });
  });

  it('is too old at the first look when its date says so', async () => {
    const file = aFile();
    file.write('1\n', -10_001);
    file.source.start();
    await settle();
    expect(file.read()).toEqual(missing('last written 10 s ago'));
  });

  it('is not too old when the date of the machine jumps ahead', async () => {
    const file = aFile();
    file.source.start();
    await settle();
    // As good as a clock that jumped by an hour: what was written just now has a date of an hour ago.
    file.write('2\n', -3_600_000);
    await file.second();
    expect(file.read()).toEqual({ value: 2 });
  });

  it('with a date in the future is as old as what we saw of it', async () => {
    const file = aFile();
    file.write('2\n', 3_600_000);
    file.source.start();
    await settle();
    expect(file.read()).toEqual({ value: 2 });
    for (let i = 0; i < 11; i++) await file.second();
    expect(file.read()).toEqual(missing('last written 11 s ago'));
  });

  it('is missing while its file system hangs, and no second look is begun', async () => {
    const file = aFile();
    file.source.start();
    await settle();
    file.hang();
    for (let i = 0; i < 4; i++) await file.second();
    expect(file.read()).toEqual(missing('the last look was 4 s ago: its file system does not answer'));
    expect(file.source.counts.asked).toBe(2);
  });

  it('is not looked at any more once stopped', async () => {
    const file = aFile();
    file.source.start();
    await file.source.stop();
    await file.source.stop();
    await file.second();
    expect(file.source.counts.asked).toBe(1);
    expect(file.clock.pending).toBe(0);
  });
});

describe('a counter in a file', () => {
  it('is a rate over the time between two writings, not between two looks', async () => {
    const file = aFile({ as: 'rate' });
    file.write('100\n');
    file.source.start();
    await settle();
    expect(file.read()).toEqual(missing('two looks'));
    await file.second();
    expect(file.read()).toEqual(missing('two looks'));
    for (let i = 0; i < 4; i++) await file.second();
    file.write('160\n');
    await file.second();
    expect(file.read()).toEqual({ value: 10 });
    await file.second();
    expect(file.read()).toEqual({ value: 10 });
  });

  it('that is written anew with the same number has not grown', async () => {
    const file = aFile({ as: 'rate' });
    file.source.start();
    await settle();
    file.write('1\n', 500);
    await file.second();
    expect(file.read()).toEqual({ value: 0 });
  });

  it('that fell says nothing until it is written again', async () => {
    const file = aFile({ as: 'rate' });
    file.write('100\n');
    file.source.start();
    await settle();
    file.write('5\n', 500);
    await file.second();
    expect(file.read()).toEqual(missing('counter fell from 100 to 5'));
    file.write('8\n', 1500);
    await file.second();
    expect(file.read()).toEqual({ value: 3 });
  });

  it('that is not written for a minute is no rate, even where any age is allowed', async () => {
    const file = aFile({ as: 'rate', maxAgeMs: Number.POSITIVE_INFINITY });
    file.source.start();
    await settle();
    file.write('2\n', 500);
    await file.second();
    for (let i = 0; i < 61; i++) await file.second();
    expect(file.read()).toEqual(missing('last written 61.5 s ago'));
  });
});
