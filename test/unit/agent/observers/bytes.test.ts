// What the observers read out of raw bytes.
import { createServer, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerHead } from '../../../../src/agent/observers/answer-head.ts';
import { createObservers } from '../../../../src/agent/observers/observe.ts';
import { shadowMethod } from '../../../../src/agent/observers/shadow-method.ts';
import { createTraffic, type Traffic } from '../../../../src/agent/observers/traffic.ts';

interface Frame {
  readonly fin: boolean;
  readonly opcode: number;
  readonly masked: boolean;
  readonly length: number;
}

function bytesOf({ fin, opcode, masked, length }: Frame): Buffer {
  const first = (fin ? 0x80 : 0) + opcode;
  const mask = masked ? 0x80 : 0;
  const header =
    length < 126
      ? Buffer.from([first, mask + length])
      : length < 65_536
        ? Buffer.from([first, mask + 126, length >> 8, length & 255])
        : Buffer.from([first, mask + 127, 0, 0, 0, 0, 0, length >> 16, (length >> 8) & 255, length & 255]);
  return Buffer.concat([header, Buffer.alloc(masked ? 4 : 0, 0x81), Buffer.alloc(length, 0x81)]);
}

const dataFrame: fc.Arbitrary<Frame> = fc.record({
  fin: fc.boolean(),
  opcode: fc.constantFrom(0, 1, 2),
  masked: fc.boolean(),
  length: fc.oneof(fc.nat(130), fc.constantFrom(125, 126, 127, 65_535, 65_536, 70_000)),
});

/** Whole and at most 125 bytes long, as the RFC has it: after any other nothing more is counted. */
const controlFrame: fc.Arbitrary<Frame> = fc.record({
  fin: fc.constant(true),
  opcode: fc.constantFrom(8, 9, 10),
  masked: fc.boolean(),
  length: fc.nat(125),
});

/** The socket of a WebSocket that an observed server has accepted, and what was counted. */
function anObservedSocket(): { socket: Duplex; traffic: Traffic } {
  const traffic = createTraffic();
  // It never listens: an 'upgrade' is all that the observer sees of a server.
  const server = createServer();
  createObservers(traffic).observe(server);
  server.on('upgrade', (_request, upgraded: Duplex) => {
    upgraded.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n');
  });
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() });
  const request = new IncomingMessage(new Socket());
  request.headers.upgrade = 'websocket';
  server.emit('upgrade', request, socket, Buffer.alloc(0));
  return { socket, traffic };
}

describe('observing the socket of an upgrade', () => {
  it('counts final data frames however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(dataFrame, controlFrame), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 5000 })),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames.map(bytesOf));
          const { socket, traffic } = anObservedSocket();
          let position = 0;
          for (const cut of [1, 1, 1, ...cuts, bytes.length]) {
            const piece = bytes.subarray(position, position + cut);
            socket.push(piece);
            socket.write(piece);
            position = Math.min(bytes.length, position + cut);
          }
          const messages = frames.filter(({ fin, opcode }) => fin && opcode <= 2).length;
          expect([traffic.messagesIn, traffic.messagesOut]).toEqual([messages, messages]);
        },
      ),
      { numRuns: 200, seed: 1 },
    );
  });

  it('takes any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const { socket, traffic } = anObservedSocket();
        socket.push(Buffer.from(bytes));
        expect(traffic.messagesIn).toBeLessThanOrEqual(bytes.length / 2);
      }),
      { numRuns: 300, seed: 1 },
    );
  });
});

const verdictOf = (...chunks: string[]) => {
  const head = new AnswerHead();
  const rest = chunks.map((chunk) => head.read(Buffer.from(chunk, 'latin1')).toString('latin1'));
  return [head.verdict, rest.join('')];
};

describe('AnswerHead', () => {
  it('accepts by 101, with the frames that follow in the same bytes', () => {
    expect(verdictOf('HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n\u0081\u0001a')).toEqual([
      'accepted',
      '\u0081\u0001a',
    ]);
  });

  it('accepts a head in pieces', () => {
    expect(verdictOf('HTTP/1.1 1', '01 X\r', '\n\r', '\nxy')).toEqual(['accepted', 'xy']);
  });

  it('passes over 100 and 103', () => {
    expect(verdictOf('HTTP/1.1 103 Hints\r\nLink: a\r\n\r\nHTTP/1.1 101 X\r\n\r\nz')).toEqual([
      'accepted',
      'z',
    ]);
  });

  it('refuses by any other status, by what is no status, and by an endless head', () => {
    expect(verdictOf('HTTP/1.1 401 No\r\n\r\nbody')).toEqual(['refused', '']);
    expect(verdictOf('Hello\r\n\r\n')).toEqual(['refused', '']);
    expect(verdictOf(`HTTP/1.1 101 X\r\nA: ${'b'.repeat(20_000)}`)).toEqual(['refused', '']);
  });

  it('takes bytes that are no head for frames after a head that it did not see', () => {
    expect(verdictOf('\u0081\u0001a')).toEqual(['accepted', '\u0081\u0001a']);
  });

  it('waits while the head is not whole', () => {
    expect(verdictOf('HTTP/1.1 101 X\r\n')).toEqual(['unknown', '']);
  });
});

class Speaker {
  say(text: string): string {
    return text;
  }
}
const shout = (original: (text: string) => string) => (text: string) => original(text).toUpperCase();

describe('shadowMethod', () => {
  it('comes before a method of the class and leaves no trace', () => {
    const speaker = new Speaker();
    const restore = shadowMethod(speaker, 'say', shout);
    expect(speaker.say('a')).toBe('A');
    expect(Object.keys(speaker)).toEqual([]);
    restore();
    expect(Object.hasOwn(speaker, 'say')).toBe(false);
  });

  it('gives back a method of the object itself', () => {
    const speaker = { say: (text: string) => `own ${text}` };
    const { say } = speaker;
    shadowMethod(speaker, 'say', shout)();
    expect(speaker.say).toBe(say);
  });

  it('stays beneath what somebody else has put in front since', () => {
    const speaker = new Speaker();
    const restore = shadowMethod(speaker, 'say', shout);
    shadowMethod(speaker, 'say', (original) => (text) => `${original(text)}!`);
    restore();
    expect(speaker.say('a')).toBe('A!');
  });
});
