// Waiting for an answer of another process: asked again until it fits, bounded, and never a measure of time.
import { setTimeout as sleep } from 'node:timers/promises';

const askEveryMs = 25;

/**
 * The first answer of `ask` that fits. Rejects after `limitMs` with the last answer, or with what `ask` threw
 * last: an `ask` that throws is asked again.
 */
export async function eventually<Answer>(
  ask: () => Promise<Answer> | Answer,
  fits: (answer: Answer) => boolean,
  limitMs = 15_000,
): Promise<Answer> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const last = await attempt(ask);
    if ('answer' in last && fits(last.answer)) return last.answer;
    if (Date.now() > deadline) throw new Error(`never fitted ${fits}; last: ${shown(last)}`);
    await sleep(askEveryMs);
  }
}

async function attempt<Answer>(
  ask: () => Promise<Answer> | Answer,
): Promise<{ answer: Answer } | { error: unknown }> {
  try {
    return { answer: await ask() };
  } catch (error) {
    return { error };
  }
}

function shown(last: object): string {
  return 'error' in last ? String(last.error) : JSON.stringify(last).slice(0, 4000);
}

/** The promise's value, or a rejection that names `about` when it takes longer than `limitMs`. */
export async function within<Value>(
  promise: Promise<Value>,
  about: string,
  limitMs = 15_000,
): Promise<Value> {
  const stop = new AbortController();
  const late = sleep(limitMs, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`not within ${limitMs} ms: ${about}`);
  });
  // Called off below; nobody else looks at it then.
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}
