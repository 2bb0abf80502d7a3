import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventStreamReader } from '../../../src/cli/read-event-stream.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('an event stream', () => {
  it('gives events with their type, and keeps where to go on and when', () => {
    const reader = new EventStreamReader();
    const events = reader.read(
      bytes(
        'retry: 2000\n\n: alive\nid: x.7\n\nid: x.8\ndata: {"a":1}\n\nevent: gap\ndata: one\ndata: two\n\ndata: cut',
      ),
    );
    expect(events).toEqual([
      { type: 'message', data: '{"a":1}' },
      { type: 'gap', data: 'one\ntwo' },
    ]);
    expect([reader.lastEventId, reader.retryMs]).toEqual(['x.8', 2000]);
  });

  it('is the same in any cuts and with any line ends', () => {
    const text = 'retry: 5\n\nid: 1\ndata: größer\n\n: note\n\nevent: end\ndata: {}\n\n';
    const whole = new EventStreamReader().read(bytes(text));
    expect(whole).toHaveLength(2);
    fc.assert(
      fc.property(
        fc.constantFrom('\n', '\r\n', '\r'),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        (lineEnd, sizes) => {
          const all = bytes(`${text.replaceAll('\n', lineEnd)}:`);
          const reader = new EventStreamReader();
          const events = [];
          for (let at = 0, i = 0; at < all.length; i++) {
            const size = sizes[i % sizes.length] ?? 1;
            events.push(...reader.read(all.subarray(at, at + size)));
            at += size;
          }
          expect(events).toEqual(whole);
          expect(reader.lastEventId).toBe('1');
        },
      ),
      { seed: 7, numRuns: 200 },
    );
  });
});
