import { describe, expect, it } from 'vitest';
import { readScalerMetadata } from '../../../../src/balancer/scale-outputs/keda-metadata.ts';
import { statusOf } from '../../../../src/balancer/scale-outputs/keda-status.ts';
import { HeraldError } from '../../../../src/core/error.ts';

describe('metadata of a trigger', () => {
  it('names a pool, by itself or through the environment of the scaled pods', () => {
    expect(readScalerMetadata({ pool: 'chat' })).toEqual({ pool: 'chat', metric: 'load' });
    expect(readScalerMetadata({ poolFromEnv: 'chat', metric: 'desired' })).toEqual({
      pool: 'chat',
      metric: 'desired',
    });
  });

  it("may have KEDA's own keys beside it", () => {
    const own = { scalerAddress: 'herald:9403', enableTLS: 'true', unsafeSsl: 'false', caCert: '…' };
    expect(readScalerMetadata({ ...own, pool: 'chat' }).pool).toBe('chat');
  });

  it.each([
    [{}, "'pool' is missing"],
    [{ pool: '' }, "'pool' is missing"],
    [{ pool: 'chat', mertic: 'load' }, "'mertic' is not known (did you mean metric?)"],
    [{ pool: 'chat', threshold: '5' }, "'threshold' is not known (known: pool, metric)"],
    [{ pool: 'chat', metric: 'lod' }, "'metric' is 'lod' (did you mean load?)"],
    [{ pool: 'chat', constructor: 'x' }, "'constructor' is not known"],
  ])('%j is refused by name', (metadata, complaint) => {
    // Proof of the cast: every value is text; the rows differ in keys only.
    expect(() => readScalerMetadata(metadata as Record<string, string>)).toThrow(complaint);
  });
});

describe('a status', () => {
  it('is that of the code, with the code in its text', () => {
    const status = (error: unknown) => statusOf(error, () => undefined);
    expect(status(new HeraldError('HERALD_POOL_UNKNOWN', 'no'))).toEqual({
      code: 5,
      details: 'HERALD_POOL_UNKNOWN: no',
    });
    expect(status(new HeraldError('HERALD_SCALE_UNKNOWN', 'no')).code).toBe(14);
    expect(status(new HeraldError('HERALD_SCALER_METADATA_INVALID', 'no')).code).toBe(3);
    expect(status(new HeraldError('HERALD_FROZEN', 'no')).code).toBe(9);
    expect(status(new HeraldError('HERALD_NOT_AVAILABLE', 'no')).code).toBe(14);
  });

  it('keeps what should not happen for the log', () => {
    const heard: unknown[] = [];
    const error = new Error('secret');
    expect(statusOf(error, (each) => heard.push(each))).toEqual({
      code: 13,
      details: 'HERALD_INTERNAL: internal error; the log has its origin',
    });
    expect(heard).toEqual([error]);
  });
});
