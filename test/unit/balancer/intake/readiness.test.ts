import { expect, it } from 'vitest';
import { readinessOf } from '../../../../src/balancer/intake/readiness.ts';

it('is ready without any pool as soon as it serves', () => {
  expect(readinessOf([], 'serving', 0)).toEqual({ ready: true, reason: '', poolsWithoutNode: [] });
  expect(readinessOf([], 'starting', 0)).toMatchObject({ ready: false });
});
