import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameCursor, encodeClose } from '../../../src/protocol/websocket.ts';
import { aFrame as frame, boundariesOf, type FrameOptions } from '../../support/frames.ts';

const text = 0x1;
const binary = 0x2;
const continuation = 0x0;
const close = 0x8;
const ping = 0x9;

const aFrame = (options: FrameOptions): Buffer => frame({ masked: true, ...options });

function scanned(bytes: Buffer): { cursor: FrameCursor; messages: number } {
  const cursor = new FrameCursor();
  return { cursor, messages: cursor.scan(bytes, 0, bytes.length) };
}

describe('FrameCursor', () => {
  it('counts text and binary messages and no control frame', () => {
    const { cursor, messages } = scanned(
      Buffer.concat([
        aFrame({ opcode: text, size: 5 }),
        aFrame({ opcode: ping, size: 125 }),
        aFrame({ opcode: binary, size: 0 }),
        aFrame({ opcode: 0xa, size: 0 }),
      ]),
    );
    expect(messages).toBe(2);
    expect(cursor.atMessageBoundary).toBe(true);
    expect(cursor.sawClose).toBe(false);
  });

  it('counts a fragmented message once, with its last byte, whatever comes between the fragments', () => {
    const cursor = new FrameCursor();
    const begin = Buffer.concat([
      aFrame({ opcode: text, size: 3, fin: false }),
      aFrame({ opcode: ping, size: 2 }),
      aFrame({ opcode: continuation, size: 0, fin: false }),
    ]);
    expect(cursor.scan(begin, 0, begin.length)).toBe(0);
    expect([cursor.atFrameBoundary, cursor.atMessageBoundary]).toEqual([true, false]);
    const last = aFrame({ opcode: continuation, size: 4 });
    expect(cursor.scan(last, 0, last.length - 1)).toBe(0);
    expect(cursor.scan(last, last.length - 1, last.length)).toBe(1);
    expect(cursor.atMessageBoundary).toBe(true);
  });

  it('is at no boundary within a header or a payload', () => {
    const frame = aFrame({ opcode: binary, size: 300 });
    const cursor = new FrameCursor();
    expect(cursor.atMessageBoundary).toBe(true);
    for (let at = 0; at < frame.length - 1; at++) {
      cursor.scan(frame, at, at + 1);
      expect([cursor.atFrameBoundary, cursor.atMessageBoundary]).toEqual([false, false]);
    }
    expect(cursor.scan(frame, frame.length - 1, frame.length)).toBe(1);
    expect([cursor.atFrameBoundary, cursor.atMessageBoundary]).toEqual([true, true]);
  });

  it('reads only the range it is given', () => {
    const frame = aFrame({ opcode: text, size: 10 });
    const around = Buffer.concat([Buffer.alloc(7, 0x88), frame, Buffer.alloc(9, 0x88)]);
    const cursor = new FrameCursor();
    expect(cursor.scan(around, 7, 7 + frame.length)).toBe(1);
    expect(cursor.scan(around, 3, 3)).toBe(0);
    expect([cursor.atMessageBoundary, cursor.sawClose]).toEqual([true, false]);
  });

  it('sees a Close as soon as its header has passed', () => {
    const frame = aFrame({ opcode: close, size: 20 });
    const cursor = new FrameCursor();
    cursor.scan(frame, 0, 5);
    expect(cursor.sawClose).toBe(false);
    cursor.scan(frame, 5, 6);
    expect([cursor.sawClose, cursor.atFrameBoundary]).toEqual([true, false]);
  });

  it('allows reserved bits and opcodes: extensions and their frames are between the two ends', () => {
    const { cursor, messages } = scanned(
      Buffer.concat([
        aFrame({ opcode: text, size: 5, reserved: 4 }),
        aFrame({ opcode: 0x3, size: 5, reserved: 7 }),
        aFrame({ opcode: 0xb, size: 5, reserved: 1 }),
      ]),
    );
    expect([messages, cursor.broken]).toEqual([2, false]);
  });

  it('reads lengths of 64 bits', () => {
    const head = Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 5]);
    const cursor = new FrameCursor();
    cursor.scan(head, 0, head.length);
    const block = Buffer.alloc(1024 * 1024);
    for (let i = 0; i < 4096; i++) expect(cursor.scan(block, 0, block.length)).toBe(0);
    expect(cursor.scan(block, 0, 4)).toBe(0);
    expect(cursor.scan(block, 4, 5)).toBe(1);
    expect(cursor.atMessageBoundary).toBe(true);
  });

  it.each([
    ['a length of 2^53', Buffer.from([0x82, 127, 0, 0x20, 0, 0, 0, 0, 0, 0])],
    ['a length with the sign bit', Buffer.from([0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 1])],
    ['a fragmented control frame', Buffer.from([0x09, 0])],
    ['a control frame of 126 bytes', Buffer.from([0x89, 126, 0, 126])],
  ])('gives up at %s, keeps what it counted and knows no boundary any more', (_what, head) => {
    const before = aFrame({ opcode: text, size: 3 });
    const { cursor, messages } = scanned(Buffer.concat([before, head, before]));
    expect([messages, cursor.broken]).toEqual([1, true]);
    expect(cursor.scan(before, 0, before.length)).toBe(0);
    expect([cursor.atFrameBoundary, cursor.atMessageBoundary]).toEqual([false, false]);
  });

  it('takes 2^53 - 1 for a length', () => {
    const head = Buffer.from([0x82, 127, 0, 0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    const { cursor } = scanned(head);
    expect([cursor.broken, cursor.atFrameBoundary]).toEqual([false, false]);
  });

  const anyFrame = fc.record({
    opcode: fc.constantFrom(text, binary, continuation, close, ping, 0x3),
    fin: fc.boolean(),
    masked: fc.boolean(),
    reserved: fc.nat(7),
    lengthBytes: fc.constantFrom(0 as const, 2 as const, 8 as const),
    size: fc.oneof(fc.nat(6), fc.integer({ min: 120, max: 130 }), fc.integer({ min: 65530, max: 65540 })),
  });

  it('gives the same for every split of every stream of frames', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (wishes, cuts) => {
          const frames = wishes.map((wish) =>
            wish.opcode >= 8
              ? { ...wish, fin: true, size: Math.min(wish.size, 125), lengthBytes: 0 as const }
              : wish,
          );
          const stream = Buffer.concat(frames.map((frame) => aFrame(frame)));
          const ends = cuts.map((cut) => cut % (stream.length + 1)).toSorted((a, b) => a - b);
          const cursor = new FrameCursor();
          let messages = 0;
          let at = 0;
          for (const end of [...ends, stream.length]) {
            messages += cursor.scan(stream, at, end);
            at = end;
          }
          expect(messages).toBe(frames.filter((frame) => frame.opcode < 8 && frame.fin).length);
          expect(cursor.sawClose).toBe(frames.some((frame) => frame.opcode === close));
          expect(cursor.atFrameBoundary).toBe(true);
          expect(cursor.atMessageBoundary).toBe(frames.findLast((frame) => frame.opcode < 8)?.fin ?? true);
          expect(cursor.broken).toBe(false);
        },
      ),
      { numRuns: 300, seed: 20 },
    );
  });

  it('gives the same byte by byte as at once', () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { minLength: 1, maxLength: 4 }), (frames) => {
        const stream = Buffer.concat(frames.map((frame) => aFrame({ ...frame, size: frame.size % 200 })));
        const whole = scanned(stream);
        const cursor = new FrameCursor();
        let messages = 0;
        for (let at = 0; at < stream.length; at++) messages += cursor.scan(stream, at, at + 1);
        expect(messages).toBe(whole.messages);
        expect(cursor.broken).toBe(whole.cursor.broken);
        expect(cursor.sawClose).toBe(whole.cursor.sawClose);
        expect(cursor.atMessageBoundary).toBe(whole.cursor.atMessageBoundary);
      }),
      { numRuns: 300, seed: 21 },
    );
  });

  it('never throws and never counts beyond the bytes, whatever they are', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 }), (chunks) => {
        const cursor = new FrameCursor();
        let messages = 0;
        let bytes = 0;
        for (const chunk of chunks) {
          messages += cursor.scan(chunk, 0, chunk.length);
          bytes += chunk.length;
        }
        expect(messages * 2).toBeLessThanOrEqual(bytes);
      }),
      { numRuns: 500, seed: 22 },
    );
  });
});

describe('encodeClose', () => {
  it('writes code and reason', () => {
    expect([...encodeClose({ code: 1012, reason: 'bye' })]).toEqual([0x88, 5, 0x03, 0xf4, 0x62, 0x79, 0x65]);
  });

  it('writes a mask of zero towards a node', () => {
    expect([...encodeClose({ code: 1012, reason: 'x', masked: true })]).toEqual([
      0x88, 0x83, 0, 0, 0, 0, 0x03, 0xf4, 0x78,
    ]);
  });

  it('writes no reason for an empty one', () => {
    expect([...encodeClose({ code: 1000, reason: '' })]).toEqual([0x88, 2, 0x03, 0xe8]);
  });

  it.each([
    ['a'.repeat(130), 'a'.repeat(123)],
    ['a'.repeat(123), 'a'.repeat(123)],
    [`${'a'.repeat(122)}é`, 'a'.repeat(122)],
    [`${'a'.repeat(121)}é`, `${'a'.repeat(121)}é`],
    [`${'a'.repeat(120)}😀`, 'a'.repeat(120)],
    ['€'.repeat(60), '€'.repeat(41)],
  ])('cuts %j at 123 bytes between two characters', (reason, kept) => {
    expect(encodeClose({ code: 1012, reason }).subarray(4).toString('utf8')).toBe(kept);
  });

  it('gives one frame that a cursor takes for a Close, for every reason', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.boolean(), (reason, masked) => {
        const frame = encodeClose({ code: 4000, reason, masked });
        const { cursor, messages } = scanned(frame);
        expect([messages, cursor.sawClose, cursor.atMessageBoundary, cursor.broken]).toEqual([
          0,
          true,
          true,
          false,
        ]);
        expect(() =>
          new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(masked ? 8 : 4)),
        ).not.toThrow();
      }),
      { numRuns: 300, seed: 23 },
    );
  });
});

describe('FrameCursor.boundaryIn', () => {
  const first = aFrame({ opcode: text, size: 200, fin: false });
  const last = aFrame({ opcode: continuation, size: 3 });
  const whole = aFrame({ opcode: binary, size: 0 });
  const bytes = Buffer.concat([first, aFrame({ opcode: ping, size: 4 }), last, whole]);

  it('finds the first end of a message, and of a frame, behind where it stands', () => {
    const cursor = new FrameCursor();
    cursor.scan(bytes, 0, 7);
    expect(cursor.boundaryIn(bytes, 7, bytes.length, 'frame')).toBe(first.length);
    expect(cursor.boundaryIn(bytes, 7, bytes.length, 'message')).toBe(bytes.length - whole.length);
    expect(cursor.boundaryIn(bytes, 7, first.length - 1, 'frame')).toBe(-1);
    expect(cursor.boundaryIn(bytes, 7, 7, 'frame')).toBe(-1);
  });

  it('gives the end of a frame without payload, which is the end of its header', () => {
    expect(new FrameCursor().boundaryIn(whole, 0, whole.length, 'message')).toBe(whole.length);
  });

  it('finds the end of a Close only', () => {
    const cursor = new FrameCursor();
    const closing = aFrame({ opcode: close, size: 20 });
    const all = Buffer.concat([bytes, closing, whole]);
    expect(cursor.boundaryIn(all, 0, bytes.length + closing.length - 1, 'close')).toBe(-1);
    expect(cursor.boundaryIn(all, 0, all.length, 'close')).toBe(bytes.length + closing.length);
  });

  it('finds none in what is no WebSocket', () => {
    const broken = aFrame({ opcode: ping, size: 200 });
    expect(new FrameCursor().boundaryIn(broken, 0, broken.length, 'frame')).toBe(-1);
  });

  it('agrees with a naive reader from every point of any frames, and moves nothing', () => {
    const part = fc.record({
      opcode: fc.constantFrom(text, binary, continuation, ping),
      size: fc.nat({ max: 300 }),
      fin: fc.boolean(),
      lengthBytes: fc.constantFrom(0 as const, 2 as const, 8 as const),
      masked: fc.boolean(),
    });
    const sizeOf = ({ opcode, size }: { opcode: number; size: number }) =>
      opcode === ping ? size % 126 : size;
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 6 }), fc.nat(), (parts, cut) => {
        const run = Buffer.concat(
          parts.map((each) => {
            const isPing = each.opcode === ping;
            return frame({
              ...each,
              size: sizeOf(each),
              fin: each.fin || isPing,
              lengthBytes: isPing ? 0 : each.lengthBytes,
            });
          }),
        );
        const start = cut % run.length;
        const cursor = new FrameCursor();
        cursor.scan(run, 0, start);
        const before = [cursor.atFrameBoundary, cursor.atMessageBoundary];
        const known = boundariesOf(run).filter(({ at }) => at > start);
        const messageEnd = known.find(({ isMessageBoundary }) => isMessageBoundary)?.at ?? -1;
        expect(cursor.boundaryIn(run, start, run.length, 'frame')).toBe(known[0]?.at ?? -1);
        expect(cursor.boundaryIn(run, start, run.length, 'message')).toBe(messageEnd);
        expect([cursor.atFrameBoundary, cursor.atMessageBoundary]).toEqual(before);
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});
