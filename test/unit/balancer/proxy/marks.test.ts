import { describe, expect, it } from 'vitest';
import { marksOf, type MarkRule } from '../../../../src/balancer/proxy/marks.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import { isTraceParent } from '../../../../src/protocol/trace-context.ts';
import { aClient } from '../../../support/a-client.ts';
import { ManualClock } from '../../../support/manual-clock.ts';

const trusted = aClient('10.0.0.1', true);
const stranger = aClient('192.0.2.1');
const sound = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const rule: MarkRule = { givesRequestId: true, trace: 'keep', sampledPart: 0 };

function marks(fields: readonly string[], client = stranger, parts: Partial<MarkRule> = {}) {
  return marksOf(
    { clock: new ManualClock(), rng: pcg32(1), marks: () => ({ ...rule, ...parts }) },
    fields,
    client,
  );
}

describe('the id of a request', () => {
  it('is that of a trusted peer, where it gives one that can be used', () => {
    expect(marks(['X-Request-Id', 'abc'], trusted).requestId).toBe('abc');
    expect(marks(['X-Request-Id', 'abc'], stranger).requestId).toMatch(/^[0-9a-f-]{36}$/);
    for (const fields of [[], ['X-Request-Id', 'a b'], ['X-Request-Id', 'a', 'x-request-id', 'b']])
      expect(marks(fields, trusted).requestId).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is none where the configuration says so, or nothing', () => {
    expect(marks([], stranger, { givesRequestId: false }).requestId).toBe('');
    expect(marksOf({ clock: new ManualClock(), rng: pcg32(1) }, [], stranger)).toEqual({
      requestId: '',
      trace: undefined,
    });
  });
});

describe('the trace of a request', () => {
  it('passes when it is sound, and otherwise as far as it is', () => {
    expect(marks(['traceparent', sound, 'tracestate', 'a=1']).trace).toBeUndefined();
    expect(marks([]).trace).toBeUndefined();
    expect(marks(['traceparent', sound, 'tracestate', 'A']).trace).toEqual(['traceparent', sound]);
    expect(marks(['traceparent', 'x', 'tracestate', 'a=1']).trace).toEqual([]);
  });

  it('is begun where that is wanted and there is none, sampled as often as is said', () => {
    const made = (sampledPart: number) =>
      marks(['traceparent', 'x'], stranger, { trace: 'make', sampledPart }).trace;
    const [name, value = ''] = made(0) ?? [];
    expect(name).toBe('traceparent');
    expect(isTraceParent(value)).toBe(true);
    expect(value).toMatch(/-00$/);
    expect(made(1)?.[1]).toMatch(/-01$/);
    expect(marks(['traceparent', sound], stranger, { trace: 'make' }).trace).toBeUndefined();
  });
});
