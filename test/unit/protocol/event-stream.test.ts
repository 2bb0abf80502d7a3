import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventCounter, retryField } from '../../../src/protocol/event-stream.ts';

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

describe('EventCounter.toEventBoundary', () => {
  const bytes = (text: string) => Buffer.from(text, 'utf8');
  const after = (text: string) => {
    const counter = new EventCounter();
    counter.count(bytes(text));
    return counter;
  };

  it.each([
    ['', true],
    ['data: x\n\n', true],
    ['data: x\r\n\r', true],
    ['data: x\r\r', true],
    [': only a comment\n', true],
    ['data: x\n\n: ping\n', true],
    [': half a comm', false],
    ['data: x\n', false],
    ['data: x\n: comment\n', false],
    ['data: x', false],
    ['id: 7\r\n', false],
  ])('after %j an event may be written: %s', (text, isBoundary) => {
    expect(after(text).atEventBoundary).toBe(isBoundary);
  });

  it.each([
    ['data: a', '\n\ndata: b\n\n', 2],
    ['data: a\n', '\ndata: b\n\n', 1],
    ['data: a', '\r\n\r\ndata: b\r\n\r\n', 4],
    ['data: a\r\n\r', '\ndata', 1],
    ['data: a', 'bc\ndata: d\n', -1],
    ['data: a', '', -1],
  ])('in %j and then %j stands behind the blank line: %d', (before, chunk, boundary) => {
    expect(after(before).toEventBoundary(bytes(chunk))).toBe(boundary);
  });

  it('goes on from a chunk without one', () => {
    const counter = after('data: a');
    expect(counter.toEventBoundary(bytes('b\n'))).toBe(-1);
    expect(counter.toEventBoundary(bytes('\nmore'))).toBe(1);
  });

  it('stands where a field of ours takes nothing from an event and adds none', () => {
    expect(retryField(1499.6)).toBe('retry: 1500\n\n');
  });
});
