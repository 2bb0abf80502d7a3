import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BodyEnd, bodyLengthOf } from '../../../src/protocol/body-end.ts';

describe('bodyLengthOf', () => {
  it.each([
    ['a length', 200, ['Content-Length', '5'], { kind: 'length', bytes: 5 }],
    ['chunks', 200, ['Transfer-Encoding', 'Chunked'], { kind: 'chunked' }],
    ['neither', 200, [], { kind: 'close' }],
    ['204', 204, [], { kind: 'none' }],
    ['304 with a length', 304, ['Content-Length', '5'], { kind: 'none' }],
    ['both', 200, ['Content-Length', '5', 'Transfer-Encoding', 'chunked'], undefined],
    ['two lengths', 200, ['Content-Length', '5', 'content-length', '5'], undefined],
    ['a list of lengths', 200, ['Content-Length', '5, 5'], undefined],
    ['a signed length', 200, ['Content-Length', '-1'], undefined],
    ['an empty length', 200, ['Content-Length', ''], undefined],
    ['another coding', 200, ['Transfer-Encoding', 'gzip'], undefined],
    ['two codings', 200, ['Transfer-Encoding', 'gzip, chunked'], undefined],
  ])('reads %s', (_name, status, fields, length) => {
    expect(bodyLengthOf(status, fields)).toEqual(length);
  });
});

/** Feeds `text` in pieces of `step` bytes; the length of the body, undefined when it did not end. */
function bodyBytes(body: BodyEnd, text: string, step = text.length): number | undefined {
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length && !body.isBroken; at += step) {
    const end = Math.min(bytes.length, at + step);
    const taken = body.consume(bytes, at, end);
    if (body.isEnded) return taken;
    if (!body.isBroken) expect(taken).toBe(end);
  }
  return undefined;
}

describe('BodyEnd', () => {
  it('ends a body of known length, of length 0, and none at all', () => {
    expect(bodyBytes(new BodyEnd({ kind: 'length', bytes: 3 }), 'abcdef', 2)).toBe(3);
    expect(new BodyEnd({ kind: 'length', bytes: 0 }).isEnded).toBe(true);
    expect(new BodyEnd({ kind: 'none' }).isEnded).toBe(true);
  });

  it('leaves to the connection what only that ends', () => {
    const body = new BodyEnd({ kind: 'close' });
    expect(bodyBytes(body, 'anything')).toBeUndefined();
    expect(body.endsWithConnection).toBe(true);
  });

  const chunked = '5\r\nhello\r\nA;ext="x"\r\n0123456789\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n';

  it('ends chunks with the blank line behind the trailers, in pieces of any size', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: chunked.length + 4 }), (step) => {
        const body = new BodyEnd({ kind: 'chunked' });
        expect(bodyBytes(body, `${chunked}next`, step)).toBe(chunked.length);
      }),
    );
  });

  it('ends chunks without trailers', () => {
    expect(bodyBytes(new BodyEnd({ kind: 'chunked' }), '0\r\n\r\nnext')).toBe(5);
  });

  it.each([
    ['no size', '\r\nhello'],
    ['a size that is no number', 'g\r\n'],
    ['a negative size', '-1\r\n'],
    ['a size of eleven digits', '00000000005\r\nhello'],
    ['a bare LF behind the size', '5\nhello'],
    ['a bare LF behind an extension', '5;a\nhello'],
    ['something else than LF behind CR', '5\rXhello'],
    ['no line end behind the data', '5\r\nhelloX'],
    ['half a line end behind the data', '5\r\nhello\rX'],
    ['a bare LF in the trailers', '0\r\nX: 1\n\r\n'],
    ['a bare CR in the trailers', '0\r\nX\rY: 1\r\n\r\n'],
  ])('is broken by %s', (_name, text) => {
    const body = new BodyEnd({ kind: 'chunked' });
    expect(bodyBytes(body, text)).toBeUndefined();
    expect(body.isBroken).toBe(true);
  });
});
