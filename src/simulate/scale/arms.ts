// The arms of the comparison, as data. The last ones are to be beaten.
import { heraldArm } from './herald-arm.ts';
import { hpaArm } from './hpa-arm.ts';
import type { LevelledPool } from './leveller.ts';
import { scaleLimits, type ScaleArm } from './scale-run.ts';

// terminationGracePeriodSeconds as Kubernetes has it when nobody sets it.
const graceMs = 30_000;

/** Every arm of the table, in its order; the first is Herald. */
export const scaleArms: readonly ScaleArm[] = [
  { name: 'herald', isBaseline: false, create: (pool) => heraldArm(pool) },
  {
    name: 'hpa',
    isBaseline: true,
    create: ({ fleet }, rng) => hpaArm(fleet, scaleLimits, { end: { graceMs, drains: false }, rng }),
  },
  {
    name: 'hpa, preStop drain',
    isBaseline: true,
    create: ({ fleet, policy }: LevelledPool, rng) => {
      const end = { graceMs: policy.drain.deadlineMs, drains: true };
      return hpaArm(fleet, scaleLimits, { end, rng });
    },
  },
];
