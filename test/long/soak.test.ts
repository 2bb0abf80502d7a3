// The short form of `npm run soak`: everything that it checks but whether memory is flat, for which it takes minutes.
// And that what judges memory sees a leak, and sees none where there is none.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { pcg32 } from '../../src/core/rng.ts';
import { messageBytes, streamBytes } from '../soak/bytes.ts';
import { Desk } from '../soak/desk.ts';
import { judgeMemory, type SoakReport } from '../soak/report.ts';
import { driftOf, lows, theilSen, type Point } from '../soak/slope.ts';
import { startProcess } from '../support/herald-command.ts';

const limitMs = 240_000;

describe.skipIf(process.platform !== 'linux')(
  'a soak of a quarter of a minute (skipped: descriptors and memory are read in /proc, which Linux has)',
  () => {
    it(
      'loses and crosses no byte, leaks no descriptor, and ends with every gauge at 0',
      async () => {
        const folder = mkdtempSync(join(tmpdir(), 'herald-soak-'));
        onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
        const out = join(folder, 'soak.json');
        const flags = ['--minutes', '0.25', '--seed', '11', '--clients', '60', '--out', out];
        const run = startProcess(process.execPath, ['--import', 'tsx', 'test/soak/run.ts', ...flags]);
        // It ends what it has started; SIGKILL could not.
        onTestFinished(() => void run.child.kill('SIGTERM'));
        const { code, stdout, stderr } = await run.ended(limitMs - 20_000);
        expect(code, `${stdout}\n${stderr}`).toBe(0);
        const { violations, sentences, done } = JSON.parse(readFileSync(out, 'utf8')) as SoakReport;
        expect(violations).toEqual([]);
        const unproven = sentences.filter(({ checked }) => checked === 0).map(({ name }) => name);
        expect(unproven).toEqual(['memory', 'heap']);
        const everything = ['WebSocket', 'TCP', 'event streams', 'polls and posts', 'stalls', 'drains'];
        expect(Object.keys(done)).toEqual(expect.arrayContaining(everything));
      },
      limitMs,
    );
  },
);

/** Five minutes of samples a second: a level, a rise per hour, noise, and a peak of a tenth of the time. */
function samples({ perHour }: { perHour: number }): Point[] {
  const rng = pcg32(5);
  return Array.from({ length: 300 }, (_, second) => {
    const peak = second >= 200 && second < 230 ? 80 : 0;
    return [second, 120 + (perHour * second) / 3600 + 10 * rng.next() + peak] as const;
  });
}

describe('the slope of a soak', () => {
  it('is that of a line, whatever a tenth of the samples say', () => {
    const line = Array.from({ length: 100 }, (_, at): Point => [at, at % 10 === 3 ? 1e6 : 2 * at]);
    expect(theilSen(line)).toBeCloseTo(2, 1);
    expect(theilSen([[1, 5]])).toBe(0);
    expect(theilSen([])).toBe(0);
  });

  it('rises with a leak and not with noise and a peak', () => {
    const bound = { least: 12, part: 0.1 };
    const flat = driftOf(samples({ perHour: 0 }), bound);
    expect(flat.rise).toBeLessThan(flat.most);
    const leaking = driftOf(samples({ perHour: 300 }), bound);
    expect(leaking.rise).toBeGreaterThan(leaking.most);
  });

  it('of a heap is that of its lows', () => {
    expect(
      lows(
        [
          [1, 30],
          [9, 20],
          [11, 50],
          [12, 21],
        ],
        10,
      ),
    ).toEqual([
      [9, 20],
      [12, 21],
    ]);
  });
});

describe('the judges of a soak', () => {
  it('find a leak of memory, and judge no run that is too short to show one', () => {
    const process = { who: 'main', pid: 1, heapMiB: [], descriptors: [] };
    const judged = (points: Point[]) => {
      const desk = new Desk(() => {});
      judgeMemory(desk, [{ ...process, residentMiB: points }]);
      return [desk.verdicts.checked('memory'), desk.verdicts.broken('memory')];
    };
    expect(judged(samples({ perHour: 400 }))).toEqual([1, 1]);
    expect(judged(samples({ perHour: 0 }))).toEqual([1, 0]);
    expect(judged(samples({ perHour: 400 }).slice(0, 100))).toEqual([0, 0]);
  });

  it('find a byte of another connection', () => {
    const told: string[] = [];
    const desk = new Desk((line) => told.push(line));
    const size = 4000;
    const mine = Buffer.from(streamBytes(1, 0, size));
    expect(desk.judgeBytes('it', mine, streamBytes(1, 0, size))).toBe(true);
    streamBytes(2, 0, 1).copy(mine, 1234);
    expect(desk.judgeBytes('it', mine, streamBytes(1, 0, size))).toBe(false);
    expect(told.join()).toContain('the first other one at 1234');
  });

  it('explain the end of a connection by a drain of its node that it saw begin, and by no other', () => {
    const desk = new Desk(() => {});
    desk.drains('n-1')();
    desk.judgeEnd('one', { node: 'n-1', fromMs: 0 });
    expect(desk.verdicts.broken('ends')).toBe(0);
    desk.judgeEnd('another', { node: 'n-2', fromMs: 0 });
    desk.judgeEnd('a later one', { node: 'n-1', fromMs: 3_600_000 });
    expect(desk.verdicts.broken('ends')).toBe(2);
  });
});

describe('the bytes of a soak', () => {
  it('differ from connection to connection and from message to message, and texts are texts', () => {
    const text = (connection: number, number: number) =>
      messageBytes({ connection, number, size: 200, alphabet: 'text' }).toString('latin1');
    expect(new Set([text(1, 0), text(1, 1), text(2, 0), text(2, 1)]).size).toBe(4);
    expect(text(3, 3)).toMatch(/^[ -~]{200}$/);
    expect(streamBytes(4, 100, 50)).toEqual(streamBytes(4, 0, 150).subarray(100));
  });
});
