import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeraldError } from '../../../src/core/error.ts';
import { compileSelector } from '../../../src/protocol/prometheus-selector.ts';
import { findSeries, maxSeries, parseSelector } from '../../../src/protocol/prometheus-text.ts';

function find(page: string, selector: string) {
  const parsed = parseSelector(selector);
  if (!('value' in parsed)) throw new Error(parsed.message);
  const found = findSeries(page, compileSelector(parsed.value));
  return 'problem' in found ? found : { values: [...found.values.values()], named: found.named };
}

describe('a selector', () => {
  it.each([
    ['up', { name: 'up', labels: [] }],
    ['job:rate:5m{}', { name: 'job:rate:5m', labels: [] }],
    ['q{a="1"}', { name: 'q', labels: [{ label: 'a', operator: '=', value: '1' }] }],
    [
      ` q { a != 'x' , b=~"5..", c!~"a|b", } `,
      {
        name: 'q',
        labels: [
          { label: 'a', operator: '!=', value: 'x' },
          { label: 'b', operator: '=~', value: '5..' },
          { label: 'c', operator: '!~', value: 'a|b' },
        ],
      },
    ],
    ['q{a="\\\\d\\"\\n"}', { name: 'q', labels: [{ label: 'a', operator: '=', value: '\\d"\n' }] }],
  ])('%s is read', (text, value) => {
    expect(parseSelector(text)).toEqual({ value });
  });

  it.each([
    ['', 'does not begin with a metric name'],
    ['5xx', 'does not begin with a metric name'],
    ['{a="1"}', 'does not begin with a metric name'],
    ['rate(q[1m])', 'goes on after its end'],
    ['q[5m]', 'goes on after its end'],
    ['q{a="1"} > 5', 'goes on after its end'],
    ['q{', 'no label name at the end'],
    ['q{a="1"', 'no , or } at the end'],
    ['q{a="1" b="2"}', 'no , or } at "b='],
    ['q{,}', 'no label name at ",}"'],
    ['q{a}', 'none of = != =~ !~ after "a"'],
    ['q{a==“1”}', 'no quoted value at'],
    ['q{a=1}', 'no quoted value at "1}"'],
    ['q{a="1}', 'no quoted value at'],
    ['q{a="\\d"}', 'an escape that is not known'],
    ['q{a=~"("}', 'a ( that is not closed'],
    ['q{a!~"x{3}"}', 'a repeat count {}'],
    [`q{${'a="1",'.repeat(17)}}`, '17 matchers'],
    ['q'.repeat(1025), '1025 characters'],
  ])('%j is refused: %s', (text, message) => {
    const parsed = parseSelector(text);
    expect(parsed).toEqual({ message: expect.stringContaining(message), hint: expect.stringMatching(/./) });
  });

  it('with a pattern that nobody has checked is an error of the configuration', () => {
    const selector = { name: 'q', labels: [{ label: 'a', operator: '=~', value: '(' }] } as const;
    expect(() => compileSelector(selector)).toThrow(HeraldError);
  });

  it('is read or refused, whatever the text', () => {
    const noise = fc.string({ unit: fc.constantFrom(...'qa{}=~!",\\| \'') });
    fc.assert(
      fc.property(fc.oneof(fc.string(), noise), (text) => {
        const parsed = parseSelector(text);
        if ('value' in parsed) compileSelector(parsed.value);
        else expect(parsed.message).toMatch(/^[\x20-\x7e]+$/);
      }),
      { numRuns: 500 },
    );
  });
});

const page = `# HELP queue_depth Waiting: queue_depth{shard="9"} 9
# TYPE queue_depth gauge
queue_depth{shard="1",kind="chat"} 12
queue_depth{shard="2",kind="test"} 3.5 1700000000000
  queue_depth{ shard = "3" , kind="te\\"s\\\\t\\nx", } +4
queue_depth_max 99
not_queue_depth 98
other{path="queue_depth 5"} 97
other{path=" queue_depth 5"} 97
plain 7
latency_bucket{le="0.1"} 5 # {trace_id="queue_depth 1"} 0.05 1700000000.123
latency_bucket{le="+Inf"} 9
nan_value NaN
inf_value{a="1"} +Inf
inf_value{a="2"} -Inf
# EOF
`;

describe('a Prometheus page', () => {
  it.each([
    ['queue_depth', [12, 3.5, 4], 3],
    ['queue_depth{shard="1"}', [12], 3],
    ['queue_depth{shard!="1"}', [3.5, 4], 3],
    ['queue_depth{shard=~"1|2",kind!~"te.*"}', [12], 3],
    ['queue_depth{kind="te\\"s\\\\t\\nx"}', [4], 3],
    ['queue_depth{zone=""}', [12, 3.5, 4], 3],
    ['queue_depth{zone!=""}', [], 3],
    ['plain', [7], 1],
    ['latency_bucket{le="0.1"}', [5], 2],
    ['latency_bucket{le="+Inf"}', [9], 2],
    ['nan_value', [Number.NaN], 1],
    ['inf_value', [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], 2],
    ['nothing', [], 0],
    ['EOF', [], 0],
  ])('has for %s: %j of %i', (selector, values, named) => {
    expect(find(page, selector)).toEqual({ values, named });
  });

  it('may end its lines with CR LF, or its last line not at all', () => {
    expect(find('q{a="1"} 1\r\nq{a="2"} 2\r\n', 'q')).toEqual({ values: [1, 2], named: 2 });
    expect(find('q 1', 'q')).toEqual({ values: [1], named: 1 });
  });

  it('counts a series that comes twice once', () => {
    expect(find('q 1\nq 2\n', 'q')).toEqual({ values: [2], named: 2 });
  });

  it.each([
    'q',
    'q ',
    'q{a="1"}',
    'q{a="1" 5',
    'q{a="1} 5',
    'q{a=1} 5',
    'q{="1"} 5',
    'q{a="1""} 5',
    'q{a b="1"} 5',
    'q twelve',
    'q 0x10',
    'q 1 yesterday',
    'q <html>',
  ])('with the line %j says which line cannot be read', (line) => {
    expect(find(`# a\n\n${line}\nq 1\n`, 'q')).toEqual({ problem: 'line 3 cannot be read' });
  });

  it('does not look at lines of other names', () => {
    expect(find('p{{{{ broken\nq 1\n<html>\n', 'q')).toEqual({ values: [1], named: 1 });
  });

  it('with too many series that match is refused', () => {
    const lines = Array.from({ length: maxSeries + 1 }, (_, index) => `q{n="${index}"} 1\n`).join('');
    expect(find(lines, 'q')).toEqual({ problem: `more than ${maxSeries} series match` });
  });

  it('of a megabyte without a line feed is read to its end', () => {
    for (const filler of ['q', ' ', '\\', '"', '{', 'q{a="']) {
      const long = `q{a="${filler.repeat(Math.floor(1_000_000 / filler.length))}`;
      expect(find(long, 'q')).toEqual({ problem: 'line 1 cannot be read' });
    }
    expect(find('a q'.repeat(300_000), 'q')).toEqual({ values: [], named: 0 });
    expect(find('q q '.repeat(100_000), 'q{a="1"}')).toEqual({ problem: 'line 1 cannot be read' });
  });

  it('gives back what was written, whatever the labels', () => {
    const escape = (value: string) =>
      value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
    fc.assert(
      fc.property(fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }), (label, value) => {
        const selector = { name: 'q', labels: [{ label: 'a', operator: '=', value: label }] } as const;
        const found = findSeries(`p 1\nq{a="${escape(label)}"} ${value}\n`, compileSelector(selector));
        expect('values' in found && [...found.values.values()]).toEqual([value + 0]);
      }),
    );
  });

  it('is read or refused, whatever the text', () => {
    const noise = fc.string({
      unit: fc.constantFrom('q', '{', '}', '"', '\\', '\n', ' ', '=', ',', '1', 'a', '#'),
    });
    const matcher = compileSelector({ name: 'q', labels: [{ label: 'a', operator: '!=', value: '1' }] });
    fc.assert(
      fc.property(fc.oneof(fc.string(), noise), (text) => {
        const found = findSeries(text, matcher);
        if ('problem' in found) expect(found.problem).toMatch(/^line \d+ cannot be read$/);
        else expect(found.values.size).toBeLessThanOrEqual(found.named);
      }),
      { numRuns: 1000 },
    );
  });
});
