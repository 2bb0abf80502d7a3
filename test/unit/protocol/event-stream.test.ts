import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventCounter } from '../../../src/protocol/event-stream.ts';

const count = (...chunks: string[]): number => {
  const counter = new EventCounter();
  return chunks.reduce((sum, chunk) => sum + counter.count(Buffer.from(chunk)), 0);
};

describe('EventCounter', () => {
  it.each([
    ['one event', 'data: a\n\n', 1],
    ['an event of several lines', 'event: x\ndata: a\ndata: b\n\n', 1],
    ['CRLF', 'data: a\r\n\r\ndata: b\r\n\r\n', 2],
    ['CR alone', 'data: a\r\rdata: b\r\r', 2],
    ['mixed line ends', 'data: a\r\n\ndata: b\n\r\n', 2],
    ['blank lines before and between', '\n\n\ndata: a\n\n\n\ndata: b\n\n', 2],
    ['a comment that keeps the stream alive', ': still here\n\n', 1],
    ['an event that has not ended', 'data: a\n', 0],
    ['nothing', '', 0],
  ])('counts %s', (_name, text, events) => {
    expect(count(text)).toBe(events);
  });

  it('counts the same however the stream is cut', () => {
    const text = fc.string({ unit: fc.constantFrom('d', '\r', '\n', '\r\n', '\n\n') });
    fc.assert(
      fc.property(text, fc.array(fc.nat(20)), (stream, cuts) => {
        const pieces: string[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(stream.slice(at, at + cut));
          at += cut;
        }
        expect(count(...pieces, stream.slice(at))).toBe(count(stream));
      }),
    );
  });
});
