// KEDA's external scaler with a client by hand (test/support/grpc-by-hand.ts). The expected bytes are written here
// from KEDA's proto text: tag = field × 8 + wire type, 0 varint, 1 eight bytes little-endian, 2 length and bytes.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeda, type Keda } from '../../../src/balancer/scale-outputs/keda-server.ts';
import { createSystemClock } from '../../../src/platform/system-clock.ts';
import {
  aGrpcClient,
  bytesField,
  getMetricsRequest,
  scaledObjectRef,
  textField,
  type GrpcClient,
} from '../../support/grpc-by-hand.ts';
import { aScaling, anUnknownScaling, type StubFeed } from '../../support/a-scaling.ts';
import { aStubScaleFeed } from '../../support/stub-scale-feed.ts';
import { until } from '../../support/until.ts';

let feed: StubFeed;
let keda: Keda;
let client: GrpcClient;
let url: string;
let internalErrors: unknown[];

beforeEach(async () => {
  feed = aStubScaleFeed(aScaling());
  internalErrors = [];
  keda = createKeda({
    bind: { host: '127.0.0.1', port: 0 },
    tls: undefined,
    feed,
    clock: createSystemClock(),
    onInternalError: (error) => internalErrors.push(error),
    maxStreams: 2,
  });
  url = `http://127.0.0.1:${await keda.start()}`;
  client = aGrpcClient(url);
});

afterEach(async () => {
  await client[Symbol.asyncDispose]();
  await keda.stop();
  expect(internalErrors).toEqual([]);
});

// As KEDA sends it: the whole metadata of the trigger.
const metadata = { scalerAddress: 'herald:9403', pool: 'chat' };
const ref = scaledObjectRef(metadata);

function double(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return bytes;
}

const shown = () => `${feed.hearing} hear`;

describe('unary calls', () => {
  it('IsActive answers true as 08 01', async () => {
    expect(await client.ask('IsActive', ref)).toEqual({ status: 0, message: 'OK', answers: ['0801'] });
  });

  it('IsActive answers false as 08 00: a default that is written out, which every reader takes', async () => {
    feed.say(aScaling({ isActive: false, min: 0 }));
    expect(await client.ask('IsActive', ref)).toMatchObject({ status: 0, answers: ['0800'] });
  });

  it('GetMetricSpec has the target as hundredths and as a double', async () => {
    feed.say(aScaling({ target: 0.7 }));
    const spec = Buffer.concat([
      textField(1, 'herald_chat'),
      Buffer.from([0x10, 70]),
      Buffer.from([0x19]),
      double(0.7),
    ]);
    const { status, answers } = await client.ask('GetMetricSpec', ref);
    expect([status, answers]).toEqual([0, [bytesField(1, spec).toString('hex')]]);
    // The bytes of 0.7 as other implementations write them.
    expect(answers[0]).toContain('19666666666666e63f');
  });

  it('GetMetrics has the sum of the fleet as hundredths rounded up and as a double', async () => {
    feed.say(aScaling({ totalLoad: 4.401 }));
    // 441 as a varint is b9 03.
    const value = Buffer.concat([
      textField(1, 'herald_chat'),
      Buffer.from([0x10, 0xb9, 0x03]),
      Buffer.from([0x19]),
      double(4.401),
    ]);
    const { status, answers } = await client.ask('GetMetrics', getMetricsRequest(metadata, 'herald_chat'));
    expect([status, answers]).toEqual([0, [bytesField(1, value).toString('hex')]]);
  });

  it('a load of 0 that is known is told as 0', async () => {
    feed.say(aScaling({ totalLoad: 0 }));
    const { status, answers } = await client.ask('GetMetrics', getMetricsRequest(metadata, 'herald_chat'));
    const value = Buffer.concat([textField(1, 'herald_chat'), Buffer.from([0x10, 0, 0x19]), double(0)]);
    expect([status, answers]).toEqual([0, [bytesField(1, value).toString('hex')]]);
  });

  it('a load that is not known is UNAVAILABLE with the reason, and no message', async () => {
    feed.say(anUnknownScaling());
    expect(await client.ask('GetMetrics', getMetricsRequest(metadata, 'herald_chat'))).toEqual({
      status: 14,
      message:
        "HERALD_SCALE_UNKNOWN: the load of pool 'chat' is not known: No node of the pool has a valid report.",
      answers: [],
    });
    expect(await client.ask('IsActive', ref)).toMatchObject({ status: 0, answers: ['0801'] });
    expect(await client.ask('GetMetricSpec', ref)).toMatchObject({ status: 0 });
  });

  it('an unknown pool is NOT_FOUND with the nearest name', async () => {
    const { status, message } = await client.ask('IsActive', scaledObjectRef({ pool: 'chta' }));
    expect([status, message]).toEqual([
      5,
      "HERALD_POOL_UNKNOWN: there is no pool 'chta'; did you mean 'chat'?",
    ]);
  });

  it('an unknown key is INVALID_ARGUMENT and named; so is a missing pool', async () => {
    const wrong = await client.ask('GetMetricSpec', scaledObjectRef({ ...metadata, metrik: 'load' }));
    expect(wrong.status).toBe(3);
    expect(wrong.message).toContain("'metrik' is not known (did you mean metric?)");
    expect((await client.ask('IsActive', Buffer.alloc(0))).message).toContain("'pool' is missing");
    expect((await client.ask('GetMetrics', Buffer.alloc(0))).message).toContain("'pool' is missing");
  });

  it('a frozen pool is FAILED_PRECONDITION', async () => {
    feed.say(aScaling({ isFrozen: true }));
    expect((await client.ask('GetMetrics', getMetricsRequest(metadata, ''))).status).toBe(9);
  });

  it('StreamMetricSpec and methods that there are not are UNIMPLEMENTED', async () => {
    expect((await client.ask('StreamMetricSpec', ref)).status).toBe(12);
    expect((await client.ask('Nonsense', ref)).status).toBe(12);
  });

  it('garbage and messages beyond the limit are refused, and the server goes on', async () => {
    expect((await client.ask('IsActive', Buffer.from([0x1a, 0xff, 0x01]))).status).toBe(13);
    const large = await client.ask('IsActive', scaledObjectRef({ pool: 'x'.repeat(16_000) }));
    expect(large.status).toBe(5);
    expect((await client.ask('IsActive', Buffer.alloc(70_000))).status).toBe(8);
    expect((await client.ask('IsActive', ref)).status).toBe(0);
  });
});

describe('StreamIsActive', () => {
  it('tells the first value at once and pushes changes; a client that cancels is forgotten', async () => {
    const stream = client.call('StreamIsActive', ref);
    await until(() => stream.messages.length === 1, shown);
    feed.say(aScaling());
    feed.say(aScaling({ isActive: false, min: 0 }));
    await until(() => stream.messages.length === 2, shown);
    expect(stream.messages).toEqual(['0801', '0800']);
    stream.cancel();
    await stream.over;
    await until(() => feed.hearing === 0, shown);
    expect(feed.hearing).toBe(0);
  });

  it('is forgotten when the connection is cut', async () => {
    const stream = client.call('StreamIsActive', ref);
    await until(() => stream.messages.length === 1, shown);
    await client[Symbol.asyncDispose]();
    await until(() => feed.hearing === 0, shown);
    expect(feed.hearing).toBe(0);
  });

  it('ends at the deadline of the client', async () => {
    const stream = client.call('StreamIsActive', ref, { 'grpc-timeout': '200m' });
    expect((await stream.over).status).not.toBe(0);
    await until(() => feed.hearing === 0, shown);
    expect(stream.messages).toEqual(['0801']);
  });

  it('refuses an unknown pool by status, and more streams than the limit', async () => {
    expect((await client.ask('StreamIsActive', scaledObjectRef({ pool: 'nope' }))).status).toBe(5);
    const [a, b] = [client.call('StreamIsActive', ref), client.call('StreamIsActive', ref)];
    await until(() => a.messages.length + b.messages.length === 2, shown);
    expect((await client.ask('StreamIsActive', ref)).status).toBe(8);
  });

  it('ends cleanly when the server stops, which ends in bounded time', async () => {
    const stream = client.call('StreamIsActive', ref);
    await until(() => stream.messages.length === 1, shown);
    await Promise.all([keda.stop(), keda.stop()]);
    expect((await stream.over).status).toBe(0);
    expect(feed.hearing).toBe(0);
  });
});

it('says which address is taken', async () => {
  const second = createKeda({
    bind: { host: '127.0.0.1', port: Number(new URL(url).port) },
    tls: undefined,
    feed,
    clock: createSystemClock(),
    onInternalError: () => undefined,
  });
  await expect(second.start()).rejects.toThrow('the external scaler cannot listen on 127.0.0.1:');
  await second.stop();
});
