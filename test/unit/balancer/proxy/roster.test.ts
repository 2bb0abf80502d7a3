import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Roster, type Member } from '../../../../src/balancer/proxy/roster.ts';

describe('a roster', () => {
  it('has whom a set would have, whoever comes and goes', () => {
    const step = fc.record({ comes: fc.boolean(), who: fc.nat({ max: 9 }) });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const people: Member[] = Array.from({ length: 10 }, () => ({}));
        const roster = new Roster<Member>();
        const expected = new Set<Member>();
        for (const { comes, who } of steps) {
          const member = people[who] ?? {};
          if (comes) {
            roster.add(member);
            expected.add(member);
          } else {
            roster.remove(member);
            expected.delete(member);
          }
          expect(roster.size).toBe(expected.size);
        }
        expect(new Set(roster.all())).toEqual(expected);
        expect(roster.all()).toHaveLength(expected.size);
      }),
    );
  });

  it('gives a list that stays while members leave', () => {
    const roster = new Roster<Member>();
    const members: Member[] = [{}, {}, {}];
    for (const member of members) roster.add(member);
    for (const member of roster.all()) roster.remove(member);
    expect(roster.size).toBe(0);
  });
});
