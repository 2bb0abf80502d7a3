import { describe, expect, it } from 'vitest';
import {
  formatPath,
  formatProblem,
  invalidConfig,
  sortProblems,
  type Problem,
} from '../../../src/policy/problem.ts';

const aProblem: Problem = {
  file: 'p.yaml',
  line: 3,
  column: 7,
  path: 'score',
  message: 'is wrong',
  hint: 'mend it',
};

describe('problems', () => {
  it('are one line each, without the parts that are absent', () => {
    expect(formatProblem(aProblem)).toBe('p.yaml:3:7 score: is wrong (mend it)');
    expect(formatProblem({ ...aProblem, path: '', hint: '' })).toBe('p.yaml:3:7: is wrong');
    expect(formatProblem({ ...aProblem, line: 0, column: 0, path: '' })).toBe('p.yaml: is wrong (mend it)');
  });

  it('show paths as people write them', () => {
    expect(formatPath(['listeners', 0, 'bind'])).toBe('listeners[0].bind');
    expect(formatPath(['pools', 'eu/1', 'nodes'])).toBe('pools["eu/1"].nodes');
    expect(formatPath([])).toBe('');
  });

  it('are sorted by file, line and column', () => {
    const later = { ...aProblem, column: 9 };
    const other = { ...aProblem, file: 'a.yaml', line: 9 };
    expect(sortProblems([later, aProblem, other])).toEqual([other, aProblem, later]);
  });

  it('make one error that has them all and shows the first hundred', () => {
    const many = Array.from({ length: 150 }, (_, index) => ({ ...aProblem, line: index + 1 }));
    const error = invalidConfig(many);
    expect(error.code).toBe('HERALD_CONFIG_INVALID');
    expect(error.details['problems']).toHaveLength(150);
    expect(error.message.split('\n')).toHaveLength(101);
    expect(error.message).toMatch(/… and 50 more$/);
  });
});
