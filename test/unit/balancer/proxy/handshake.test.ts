import { describe, expect, it } from 'vitest';
import { shakeHands } from '../../../../src/balancer/proxy/handshake.ts';
import { FakeWire } from '../../../support/fake-wire.ts';
import { ManualClock } from '../../../support/manual-clock.ts';
import { switching } from '../../../support/raw-node.ts';

const timeouts = {
  headMs: 1,
  dialMs: 1,
  handshakeMs: 1_000,
  tunnelIdleMs: 1,
  requestIdleMs: 1,
  keepAliveMs: 1,
  stallMs: 1,
};

/** A handshake whose request is sent. */
function aHandshake() {
  const clock = new ManualClock();
  const wire = new FakeWire();
  const told: string[] = [];
  const stage = shakeHands(
    { clock, timeouts },
    wire,
    { request: Buffer.from('request'), protocol: 'websocket' },
    {
      answered: ({ status }, rest) => told.push(`${status} ${rest.toString()}`),
      failed: (reason) => told.push(reason),
    },
  );
  return { clock, wire, told, stage };
}

describe('a handshake', () => {
  it('reads an answer in pieces, after interim ones, and hands on what came behind it', () => {
    const { clock, wire, told } = aHandshake();
    expect(wire.sent).toBe('request');
    for (const byte of `HTTP/1.1 100 Continue\r\n\r\n${switching.slice(0, -1)}`) wire.hear(byte);
    expect([told, wire.isReading]).toEqual([[], true]);
    wire.hear('\nrest');
    expect(told).toEqual(['101 rest']);
    expect([wire.isReading, wire.isClosed, clock.pending]).toEqual([true, false, 0]);
  });

  it('times out without an answer, be there interim ones', () => {
    const { clock, wire, told } = aHandshake();
    wire.hear('HTTP/1.1 100 Continue\r\n\r\n');
    clock.advance(1_000);
    wire.hear(switching);
    wire.reader.closed(undefined);
    expect([told, wire.isClosed]).toEqual([['timeout'], true]);
  });

  it('tells an end without a byte from one within the head', () => {
    const silent = aHandshake();
    silent.wire.reader.ended();
    const broken = aHandshake();
    broken.wire.hear('HTTP/1.1 1');
    broken.wire.reader.ended();
    expect([silent.told, broken.told]).toEqual([['reset'], ['handshake']]);
  });

  it('fails on heads over 16 KiB, whole or not', () => {
    const endless = aHandshake();
    endless.wire.hear('x'.repeat(16_385));
    const whole = aHandshake();
    whole.wire.hear(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(16_385)}\r\n\r\n`);
    expect([endless.told, whole.told]).toEqual([['handshake'], ['handshake']]);
  });

  it('that is aborted says nothing', () => {
    const { clock, wire, told, stage } = aHandshake();
    stage.abort();
    wire.reader.closed(undefined);
    expect([told, wire.isClosed, clock.pending]).toEqual([[], true, 0]);
  });
});
