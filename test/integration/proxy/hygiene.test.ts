// Every raw request and answer of the tables on the wire, at Herald and at HAProxy. What each column means is in
// hygiene/case.ts; docs/request-hygiene.md is made from the same tables.
import { beforeAll, describe, expect, it } from 'vitest';
import { hasHaproxy } from '../../support/haproxy.ts';
import type { Outcome } from './hygiene/case.ts';
import { recordedAtHaproxy } from './hygiene/haproxy-outcomes.ts';
import { haproxyVersion, runAtHaproxy } from './hygiene/run-haproxy.ts';
import { runAtHerald } from './hygiene/run-herald.ts';
import { hygieneTables } from './hygiene/tables.ts';

const cases = hygieneTables.flatMap((table) => table.cases);

/** Outcomes by the name of their case, or why there is none. */
async function outcomesOf(outcomes: readonly Promise<Outcome>[]): Promise<Map<string, Outcome | string>> {
  const settled = await Promise.allSettled(outcomes);
  return new Map(
    settled.map((result, index) => [
      cases[index]?.name ?? '',
      result.status === 'fulfilled' ? result.value : String(result.reason),
    ]),
  );
}

describe('the tables of raw requests', () => {
  it('have a name for each case, and sixty at least', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
    expect(cases.length).toBeGreaterThanOrEqual(60);
  });
});

describe('at Herald', () => {
  let outcomes: Map<string, Outcome | string>;

  // All at once: most of them wait for a limit of time.
  beforeAll(async () => {
    outcomes = await outcomesOf(cases.map(runAtHerald));
  }, 60_000);

  it.each(cases)('$name: $why', ({ name, told, node, client }) => {
    expect(outcomes.get(name)).toEqual({ told, node, ...(client !== undefined && { client }) });
  });
});

describe.runIf(hasHaproxy)('at HAProxy', () => {
  let outcomes: Map<string, Outcome | string>;
  const isRecorded = hasHaproxy && haproxyVersion().startsWith('2.6.');

  beforeAll(async () => {
    const all = runAtHaproxy(cases);
    outcomes = await outcomesOf(
      cases.map(async (_, index) => (await all)[index] ?? Promise.reject(new Error('no outcome'))),
    );
  }, 60_000);

  // Chosen by `if`, so that what is not meant for this version is no skipped test.
  if (isRecorded) {
    it.each(cases)('2.6 does what the page says: $name', ({ name }) => {
      expect(outcomes.get(name)).toEqual(recordedAtHaproxy[name]);
    });
    return;
  }

  // Other versions have mended some; that most stands shows that the comparison still compares.
  it(`${haproxyVersion()} does mostly what the page says of 2.6`, () => {
    const same = cases.filter(
      ({ name }) => JSON.stringify(outcomes.get(name)) === JSON.stringify(recordedAtHaproxy[name]),
    );
    expect(same.length).toBeGreaterThan(0.8 * cases.length);
  });
});

if (!hasHaproxy)
  describe('at HAProxy', () => {
    it.skip('HAPROXY IS NOT HERE: NOTHING WAS COMPARED', () => {});
  });
