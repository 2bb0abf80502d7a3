import { describe, expect, it } from 'vitest';
import type { ReportFailure } from '../../../src/agent/event.ts';
import type { ReportReply } from '../../../src/agent/report-sender.ts';
import { exchangeTimeoutMs, maxBackoffMs, Reporter } from '../../../src/agent/reporter.ts';
import type { Sample } from '../../../src/agent/sampler.ts';
import { pcg32, type Rng } from '../../../src/core/rng.ts';
import { decodeReport } from '../../../src/protocol/decode-report.ts';
import type { Report } from '../../../src/protocol/report.ts';
import { ManualClock } from '../../support/manual-clock.ts';

interface Post {
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly answer: (status: number, body?: unknown) => Promise<void>;
  readonly fail: (error: Error) => Promise<void>;
}

const ready = { directives: { adminState: 'ready' } };

/** Lets promises that are settled run their followers. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

function aReporter(rng: Rng = { next: () => 0.5 }) {
  const clock = new ManualClock(5000);
  const posts: Post[] = [];
  const failures: ReportFailure[] = [];
  let oks = 0;
  let closes = 0;
  let seq = 0;
  const post = (body: string, signal: AbortSignal) =>
    new Promise<ReportReply>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new Error('aborted')));
      posts.push({
        report: decodeReport(JSON.parse(body)),
        signal,
        answer: (status, reply = ready) => {
          resolve({ status, body: typeof reply === 'string' ? reply : JSON.stringify(reply) });
          return settle();
        },
        fail: (error) => {
          reject(error);
          return settle();
        },
      });
    });
  const reporter = new Reporter({
    balancer: 'http://b/',
    clock,
    rng,
    sender: { post, close: async () => void (closes += 1) },
    onOk: () => (oks += 1),
    onFailure: (failure) => failures.push(failure),
  });
  const sample = (leaving = false): Sample => ({
    takenAtMs: clock.nowMs(),
    report: {
      pool: 'chat',
      node: { id: 'a' },
      epoch: 'e',
      seq: seq++,
      intervalMs: 1000,
      connections: 0,
      signals: {},
      leaving,
    },
  });
  return { clock, posts, failures, reporter, sample, oks: () => oks, closes: () => closes };
}

describe('a reporter', () => {
  it('sends at once, with the age at that moment', () => {
    const { posts, reporter, sample, clock } = aReporter();
    const early = sample();
    clock.advance(12);
    reporter.offer(early);
    expect(posts.map(({ report }) => report.ageMs)).toEqual([12]);
  });

  it('keeps one report in flight, and of those that wait only the newest', async () => {
    const { posts, reporter, sample, oks, clock } = aReporter();
    for (let count = 0; count < 4; count += 1) reporter.offer(sample());
    expect(posts).toHaveLength(1);
    clock.advance(40);
    await posts[0]?.answer(200);
    expect(posts.map(({ report }) => report.seq)).toEqual([0, 3]);
    expect(posts[1]?.report.ageMs).toBe(40);
    await posts[1]?.answer(200);
    expect(posts).toHaveLength(2);
    expect(oks()).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it('sends a lost report again soon, unless a newer one has come', async () => {
    const { posts, reporter, sample, clock, failures } = aReporter();
    reporter.offer(sample());
    await posts[0]?.fail(Object.assign(new Error('gone'), { code: 'ECONNRESET' }));
    clock.advance(50);
    expect(posts.map(({ report }) => report.seq)).toEqual([0, 0]);
    await posts[1]?.answer(503);
    reporter.offer(sample());
    expect(posts).toHaveLength(2);
    clock.advance(100);
    expect(posts.map(({ report }) => report.seq)).toEqual([0, 0, 1]);
    expect(failures.map(({ code }) => code)).toEqual(['ECONNRESET', 'HTTP_503']);
  });

  it('does not send a refused report again', async () => {
    const { posts, reporter, sample, clock } = aReporter();
    reporter.offer(sample());
    await posts[0]?.answer(400, { code: 'HERALD_REPORT_INVALID', detail: 'report refused: seq' });
    clock.advance(60_000);
    expect(posts).toHaveLength(1);
    expect(reporter.status.lastFailure).toEqual({
      code: 'HERALD_REPORT_INVALID',
      message: 'report refused: seq',
    });
    reporter.offer(sample());
    expect(posts).toHaveLength(2);
  });

  it('takes a stale answer for success when the first copy had arrived, and for a failure otherwise', async () => {
    const { posts, reporter, sample, clock } = aReporter();
    const stale = { code: 'HERALD_REPORT_STALE' };
    reporter.offer(sample());
    await posts[0]?.fail(new Error('gone'));
    clock.advance(50);
    await posts[1]?.answer(409, stale);
    expect(reporter.status.state).toBe('ok');
    reporter.offer(sample());
    await posts[2]?.answer(409, stale);
    expect(reporter.status).toMatchObject({ state: 'failing', lastFailure: { code: 'HERALD_REPORT_STALE' } });
  });

  it('gives up on an answer that takes too long', async () => {
    const { posts, reporter, sample, clock, failures } = aReporter();
    reporter.offer(sample());
    clock.advance(exchangeTimeoutMs);
    await settle();
    expect(posts[0]?.signal.aborted).toBe(true);
    expect(failures).toMatchObject([{ code: 'TIMEOUT' }]);
  });

  it('does not send what has grown older than a minute', async () => {
    const { posts, reporter, sample, clock } = aReporter();
    reporter.offer(sample());
    const old = sample();
    clock.advance(60_001);
    await settle();
    reporter.offer(old);
    clock.advance(maxBackoffMs);
    expect(posts).toHaveLength(1);
  });

  it('waits longer with each failure, never longer than the cap, and shortly after a success', async () => {
    const { posts, reporter, sample, clock } = aReporter({ next: () => 0.999 });
    const waits: number[] = [];
    for (let failure = 0; failure < 12; failure += 1) {
      reporter.offer(sample());
      await posts.at(-1)?.answer(500);
      const fromMs = clock.nowMs();
      const sent = posts.length;
      for (let step = 0; step < 1100 && posts.length === sent; step += 1) clock.advance(10);
      waits.push(clock.nowMs() - fromMs);
    }
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 9990, 9990, 9990, 9990, 9990]);
    await posts.at(-1)?.answer(200);
    reporter.offer(sample());
    await posts.at(-1)?.answer(500);
    const sent = posts.length;
    clock.advance(100);
    expect(posts.length).toBe(sent + 1);
  });

  it('spreads its retries over the whole wait', async () => {
    const firsts: number[] = [];
    const rng = pcg32(1);
    for (let agent = 0; agent < 200; agent += 1) {
      const { posts, reporter, sample, clock } = aReporter(rng);
      reporter.offer(sample());
      await posts[0]?.answer(500);
      for (let step = 0; step < 101 && posts.length === 1; step += 1) clock.advance(1);
      firsts.push(clock.nowMs() - 5000);
    }
    // 200 uniform draws from 0..100 ms, seed 1: each quarter expects 50, and 30 is 3.3 deviations away.
    for (let quarter = 0; quarter < 4; quarter += 1) {
      const hits = firsts.filter((ms) => ms > quarter * 25 && ms <= quarter * 25 + 25);
      expect(hits.length).toBeGreaterThan(30);
    }
  });

  it('knows since when a balancer fails, until it recovers', async () => {
    const { posts, reporter, sample, clock } = aReporter();
    expect(reporter.status.state).toBe('idle');
    reporter.offer(sample());
    const sinceMs = clock.wallMs();
    await posts[0]?.answer(500);
    clock.advance(50);
    await posts[1]?.answer(500);
    expect(reporter.status).toMatchObject({
      state: 'failing',
      failingSinceMs: sinceMs,
      lastOkAtMs: undefined,
    });
    clock.advance(100);
    await posts[2]?.answer(200, { directives: { adminState: 'drain' } });
    expect(reporter.status).toMatchObject({
      state: 'ok',
      adminState: 'drain',
      failingSinceMs: undefined,
      lastOkAtMs: clock.wallMs(),
    });
  });
});

describe('leaving', () => {
  it('waits for the report in flight, then sends the last one and closes', async () => {
    const { posts, reporter, sample, clock, closes } = aReporter();
    reporter.offer(sample());
    reporter.offer(sample());
    const left = reporter.leave(sample(true));
    expect(posts).toHaveLength(1);
    await posts[0]?.answer(200);
    expect(posts.map(({ report }) => report.leaving)).toEqual([false, true]);
    await posts[1]?.answer(200);
    await left;
    expect(closes()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('ends within a second when nobody answers', async () => {
    const { posts, reporter, sample, clock, closes } = aReporter();
    reporter.offer(sample());
    const left = reporter.leave(sample(true));
    clock.advance(300);
    await settle();
    expect(posts.map(({ report }) => report.leaving)).toEqual([false, true]);
    clock.advance(700);
    await left;
    expect(closes()).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it('cancels a retry, and takes nothing more', async () => {
    const { posts, reporter, sample, clock } = aReporter();
    reporter.offer(sample());
    await posts[0]?.answer(500);
    const left = reporter.leave(sample(true));
    await settle();
    await posts[1]?.answer(200);
    await left;
    reporter.offer(sample());
    clock.advance(60_000);
    expect(posts).toHaveLength(2);
  });

  it('says nothing to a balancer that never heard of the node', async () => {
    const { posts, reporter, sample, closes } = aReporter();
    await reporter.leave(sample(true));
    expect(posts).toEqual([]);
    expect(closes()).toBe(1);
  });
});
