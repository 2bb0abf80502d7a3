// What every picker promises. A picker's own habits are tested beside it.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assess, type Assessment } from '../../src/core/assess.ts';
import { createPicker } from '../../src/core/pick/picker.ts';
import type { PickerName } from '../../src/core/pick/picker-name.ts';
import { pcg32 } from '../../src/core/rng.ts';
import type { NodeView } from '../../src/core/snapshot.ts';
import { aLoadedNode, aNode } from '../support/a-node.ts';
import { aPlainPolicy } from '../support/a-policy.ts';
import { aSnapshot } from '../support/a-snapshot.ts';

const nobody = () => false;
const policy = aPlainPolicy();

const judge = (nodes: readonly NodeView[]): Assessment =>
  assess(aSnapshot(nodes, { arrivalsPerSecond: 20 }), policy);

const aState = fc.constantFrom(
  'ready' as const,
  'ready' as const,
  'ready' as const,
  'drain' as const,
  'maint' as const,
);

const someNode = fc
  .record({
    utilization: fc.double({ min: 0, max: 1.5, noNaN: true }),
    open: fc.nat({ max: 200 }),
    capacity: fc.constantFrom(undefined, 0.5, 1, 4),
    adminState: aState,
    health: fc.constantFrom('up' as const, 'up' as const, 'down' as const),
    maxConnections: fc.constantFrom(Infinity, 100),
  })
  .map(({ utilization, ...parts }) => aLoadedNode(utilization, parts));

const pool = fc
  .array(someNode, { maxLength: 10 })
  .map((nodes) => nodes.map((each, index) => ({ ...each, id: `n${index}` })));

/** Runs the contract on one picker. */
export function describePicker(name: PickerName): void {
  describe(`picker ${name}`, () => {
    it('never picks an ineligible or excluded node, and picks one whenever there is one', () => {
      const excluded = fc.array(fc.boolean(), { minLength: 10, maxLength: 10 });
      fc.assert(
        fc.property(pool, excluded, fc.nat(), (nodes, isExcluded, seed) => {
          const picker = createPicker(name, pcg32(seed));
          const assessment = judge(nodes);
          const exclude = (index: number) => isExcluded[index] === true;
          const may = assessment.ineligible.flatMap((reason, index) =>
            reason === undefined && !exclude(index) ? [index] : [],
          );
          for (let i = 0; i < 12; i += 1) {
            const picked = picker(assessment, exclude);
            expect(may.length === 0 ? [-1] : may).toContain(picked);
          }
        }),
        { seed: 31, numRuns: 200 },
      );
    });

    it('picks nothing from nothing', () => {
      const picker = createPicker(name, pcg32(1));
      expect(picker(judge([]), nobody)).toBe(-1);
      expect(picker(judge([aNode({ health: 'down' }), aNode({ adminState: 'drain' })]), nobody)).toBe(-1);
      expect(picker(judge([aNode(), aNode({ id: 'b' })]), () => true)).toBe(-1);
    });

    it('picks the only node every time', () => {
      const picker = createPicker(name, pcg32(2));
      const assessment = judge([aLoadedNode(0.99, { open: 50 })]);
      const picks = Array.from({ length: 20 }, () => picker(assessment, nobody));
      expect(new Set(picks)).toEqual(new Set([0]));
    });

    it('picks another node when the one that it would take is excluded', () => {
      const picker = createPicker(name, pcg32(3));
      const assessment = judge([aLoadedNode(0.1), aLoadedNode(0.9, { id: 'b', open: 90 })]);
      expect(picker(assessment, (index) => index === 0)).toBe(1);
      expect(picker(assessment, (index) => index === 1)).toBe(0);
    });

    it('makes the same picks from the same seed', () => {
      const nodes = Array.from({ length: 6 }, (_, i) =>
        aLoadedNode(0.3 + i * 0.05, { id: `n${i}`, open: 10 * i }),
      );
      const assessment = judge(nodes);
      const picksOf = (seed: number) => {
        const picker = createPicker(name, pcg32(seed));
        return Array.from({ length: 200 }, () => picker(assessment, nobody));
      };
      expect(picksOf(5)).toEqual(picksOf(5));
    });

    it('lives on when nodes come and go between picks', () => {
      fc.assert(
        fc.property(fc.array(pool, { minLength: 2, maxLength: 12 }), fc.nat(), (pools, seed) => {
          const picker = createPicker(name, pcg32(seed));
          for (const nodes of pools) {
            const assessment = judge(nodes);
            for (let i = 0; i < 3; i += 1) {
              const picked = picker(assessment, nobody);
              const isAny = assessment.ineligible.includes(undefined);
              expect(picked === -1).toBe(!isAny);
              if (picked !== -1) expect(assessment.ineligible[picked]).toBeUndefined();
            }
          }
        }),
        { seed: 32, numRuns: 100 },
      );
    });

    it('leaves no equal node out', () => {
      const nodes = Array.from({ length: 8 }, (_, i) => aLoadedNode(0.4, { id: `n${i}`, open: 10 }));
      const picker = createPicker(name, pcg32(7));
      const assessment = judge(nodes);
      const picks = Array.from({ length: 400 }, () => picker(assessment, nobody));
      expect(new Set(picks).size).toBe(8);
    });
  });
}
