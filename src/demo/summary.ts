// What the demo says at its beginning and at its end.
import { renderTable, type Paint } from '../cli/table.ts';
import type { SeedResult } from './demo.ts';
import type { DemoRule } from './imbalance.ts';
import type { Scenario } from './scenario.ts';

const nameOf: Readonly<Record<DemoRule, string>> = {
  herald: 'Herald: least load, by water-filling',
  leastConnections: 'least connections',
};

/** The line above the table. */
export function titleOf(rule: DemoRule, second: number, { traffic }: Scenario): string {
  return `${nameOf[rule]} · second ${second} of ${traffic.durationMs / 1000}`;
}

/** Both figures, what they mean, and what to try next. */
export function renderSummary(results: readonly SeedResult[], paint: Paint): string {
  const table = renderTable(
    [
      { title: 'RULE', cell: ({ rule }) => nameOf[rule] },
      { title: 'SEED', cell: ({ seed }) => String(seed), align: 'right' },
      { title: 'MAX ÷ MEAN LOAD', cell: ({ imbalance }) => imbalance.toFixed(2), align: 'right' },
      { title: 'ANSWER P50', cell: ({ clients }) => `${clients.p50Ms.toFixed(0)} ms`, align: 'right' },
      { title: 'P99', cell: ({ clients }) => `${clients.p99Ms.toFixed(0)} ms`, align: 'right' },
    ],
    results.flatMap((result) =>
      (['herald', 'leastConnections'] as const).map((rule) => ({ rule, seed: result.seed, ...result[rule] })),
    ),
  );
  const trouble = results.flatMap(({ herald, leastConnections }) => [
    ...Object.entries(herald.clients.trouble),
    ...Object.entries(leastConnections.clients.trouble),
  ]);
  return [
    paint('bold', 'The same clients under both rules (1.00 is a perfectly level fleet):'),
    '',
    ...table,
    '',
    ...(trouble.length > 0
      ? [`Trouble: ${trouble.map(([what, n]) => `${n} × ${what}`).join(', ')}`, '']
      : []),
    'Nobody told either rule which node is small, noisy or new; Herald measured it.',
    '',
    paint('bold', 'Next:'),
    '  herald serve -c config/herald.yaml      run the balancer',
    '  herald status --watch                   see the fleet; `herald explain POOL` says why',
    '  docs/integrations/agent-library.md      put the agent into your servers',
    '',
  ].join('\n');
}
