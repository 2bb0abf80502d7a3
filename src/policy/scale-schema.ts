// The policy section `scale`: how many nodes the work needs, and which may go. Read by core/scale.
import { z } from 'zod';
import { count, duration, field, orAuto, percentage } from './field.ts';
import type { ScaleStep } from './policy.ts';
import { readQuantity, showValue, units, type Reading } from './quantity.ts';

/** `step`: a whole number of nodes, a percentage of them, or `all`. */
function readStep(value: unknown): Reading<ScaleStep> {
  if (value === 'all') return { value };
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 10_000) return { value };
  const share = typeof value === 'string' ? readQuantity('percentage', value, shareBounds) : undefined;
  if (share !== undefined && 'value' in share) return { value: { share: share.value } };
  return { message: `${showValue(value)} is no step`, hint: '1 to 10000 nodes, 1% to 100% of them, or all' };
}

const shareBounds = { min: 0.01, max: 1 };

function step() {
  return field(readStep, {
    anyOf: [
      { type: 'integer', minimum: 1, maximum: 10_000 },
      { type: 'string', pattern: `^all$|${units.percentage.pattern}` },
    ],
    examples: [1, '10%', 'all'],
    unit: 'whole number, 1 to 10000; percentage, 1% to 100%; or all',
  });
}

const up = z
  .strictObject({
    after: duration('0s', '1h').prefault('0s').describe('How long more nodes must have been needed.'),
    step: step()
      .prefault('all')
      .describe(
        'Nodes that may be starting at once because of load; `all` is as many as are needed, a percentage that of the pool.',
      ),
  })
  .prefault({})
  .describe('When nodes are added.');

const down = z
  .strictObject({
    after: duration('0s', '24h')
      .prefault('5m')
      .describe('How long fewer nodes must have sufficed; not shorter than `startTime`.'),
    step: step()
      .prefault('25%')
      .describe(
        'Nodes taken away at once, a percentage rounded up; the next go when these have been drained.',
      ),
    drain: duration('1s', '24h')
      .prefault('20m')
      .describe(
        'When a node that is taken away must be empty. Its clients are asked evenly over this time: many leave by themselves, and the node is taken back if load rises meanwhile.',
      ),
  })
  .prefault({})
  .describe('When nodes are taken away.');

interface ScaleDocument {
  readonly min: number;
  readonly max: number;
  readonly startTime: number;
  readonly survive: number;
  readonly down: { readonly after: number };
}

/** The bounds leave room for a number, the reserve leaves a node that serves, and what goes can be back in time. */
const checkScale: z.core.CheckFn<ScaleDocument> = (context) => {
  const { min, max, startTime, survive, down: fewer } = context.value;
  const add = (path: string[], message: string, hint: string): void => {
    context.issues.push({ code: 'custom', input: context.value, path, message, params: { hint } });
  };
  if (max < min) add(['max'], `${max} is below min`, `at least min, ${min}`);
  if (survive >= max) {
    const hint = `less than max, ${max}`;
    add(['survive'], `nothing would be left when ${survive} of at most ${max} are lost`, hint);
  }
  if (fewer.after < startTime) {
    const hint = `at least startTime, ${units.duration.write(startTime)}`;
    add(['down', 'after'], 'a node would be taken away sooner than one can be started', hint);
  }
};

/** The schema of the section. */
export const scaleSchema = z
  .strictObject({
    min: count(0, 10_000).prefault(2).describe('Fewest nodes recommended.'),
    max: count(1, 10_000).prefault(50).describe('Most nodes recommended; at least `min`.'),
    target: percentage('1%', '100%')
      .prefault('60%')
      .describe('Utilization of the pool that the recommendation aims at.'),
    startTime: duration('0s', '1h')
      .prefault('90s')
      .describe('How long a new node needs until it takes connections; a rise is looked ahead by this.'),
    window: orAuto('duration', '10s', '1h')
      .prefault('auto')
      .describe(
        'Span of the load that is looked at: its last quarter is averaged, its rise is drawn on. `auto`: three times `startTime`, from 3 to 30 minutes.',
      ),
    survive: count(0, 1000)
      .prefault(0)
      .describe(
        'Nodes or zones whose loss the pool has room for: the rest then stands at 95 % of saturation at most. Less than `max`.',
      ),
    surviveOf: z
      .enum(['node', 'zone'])
      .prefault('node')
      .describe(
        'What `survive` counts. As many zones as there are cannot be survived; then nothing is kept for it.',
      ),
    up,
    down,
    victims: z
      .enum(['any', 'ordinal', 'external'])
      .prefault('any')
      .describe(
        'Who goes. `any`: the cheapest to drain, zones kept even. `ordinal`: the highest number at the end of the id, as a StatefulSet does. `external`: the platform chooses, none is named.',
      ),
  })
  .check(checkScale)
  .prefault({})
  .describe('How many nodes the work needs.');
