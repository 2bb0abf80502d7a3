// Every metric that Herald exports of its own, put together. docs/reference/metrics.md is made of it; the entries are
// in the files by subject beside this one.
import { controlMetrics } from './control-metrics.ts';
import type { MetricEntry } from './metric-entry.ts';
import { outputMetrics } from './output-metrics.ts';
import { peerMetrics } from './peer-metrics.ts';
import { poolMetrics } from './pool-metrics.ts';
import { processMetrics } from './process-metrics.ts';
import { scaleMetrics } from './scale-metrics.ts';
import { takeoverMetrics } from './takeover-metrics.ts';
import { workerMetrics } from './worker-metrics.ts';

/** Every metric of Herald's own. A name is API: it is never reused for another meaning. */
export const metricCatalogue: Readonly<Record<string, MetricEntry>> = {
  ...poolMetrics,
  ...controlMetrics,
  ...scaleMetrics,
  ...outputMetrics,
  ...takeoverMetrics,
  ...peerMetrics,
  ...workerMetrics,
  ...processMetrics,
};

/** The page docs/reference/metrics.md. */
export function metricsReference(): string {
  const rows = Object.entries(metricCatalogue).map(
    ([name, { type, labels, help }]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${help} |`,
  );
  return `# Metrics

\`GET /metrics\` on the intake listener, in the Prometheus text format. Generated from the catalogue in \`src/balancer/metrics/\`.

Series of a node disappear with the node. Label values are bounded: pools and signals are those of the
configuration, nodes those that are registered, codes those of the [error catalogue](errors.md); a client,
a path or an address is never a label.

| name | type | labels | meaning |
|---|---|---|---|
${rows.join('\n')}

Beside these stand the process metrics of prom-client (\`process_*\`, \`nodejs_*\`), but for
\`nodejs_active_handles_total\`, \`nodejs_active_requests_total\` and \`nodejs_active_resources_total\`: they are
gauges whose names end like counters, and \`promtool check metrics\` refuses them.
`;
}
