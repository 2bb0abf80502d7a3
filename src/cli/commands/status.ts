// `herald status [POOL]`: the fleet in one table a pool.
import type { Command } from 'commander';
import { HeraldError } from '../../core/error.ts';
import type { NodeDetail, NodeList, PoolList, PoolSummary } from '../../protocol/admin-api.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { AdminClient } from '../admin-client.ts';
import { formatAnswer, withAdminClient, withAdminOptions, type AdminFlags } from '../admin-options.ts';
import type { CliIo } from '../io.ts';
import { LiveScreen } from '../live-screen.ts';
import { pause } from '../pause.ts';
import { readScalingIfAny } from '../read-scaling.ts';
import { scaleLine } from '../scale-lines.ts';
import { bar, paintFor, percent, renderTable, type Column, type Paint } from '../table.ts';
import { learnedColumns, learnedLine } from './learned-columns.ts';

interface Flags extends AdminFlags<'table' | 'wide' | 'json' | 'yaml'> {
  readonly watch: boolean;
}

interface PoolStatus extends PoolSummary {
  readonly members: readonly NodeDetail[];
  /** Null from a balancer that recommends nothing. */
  readonly scaling: Scaling | null;
}

const watchEveryMs = 1000;
const barWidth = 10;

/** Adds `herald status`. */
export function registerStatus(program: Command, io: CliIo): void {
  withAdminOptions(program.command('status'), ['wide'])
    .description('show pools and nodes: load, connections, shares; wide: what was learned as well')
    .argument('[POOL]', 'only this pool')
    .option('-w, --watch', 'draw again every second until interrupted', false)
    .action(async (pool: string | undefined, flags: Flags) => {
      if (flags.watch && (flags.output === 'json' || flags.output === 'yaml'))
        throw new HeraldError(
          'HERALD_USAGE',
          '--watch draws tables: leave -o out, or use `-o json` without it',
        );
      await withAdminClient(flags, io, (client) => showStatus(client, { pool, flags, io }));
    });
}

async function showStatus(
  client: AdminClient,
  { pool, flags, io }: { pool: string | undefined; flags: Flags; io: CliIo },
): Promise<void> {
  const { output } = flags;
  const paint = paintFor(io.stdout, io.env);
  if (output === 'json' || output === 'yaml') {
    io.stdout.write(formatAnswer({ pools: await readStatus(client, pool) }, output));
    return;
  }
  const isWide = output === 'wide';
  const draw = async () => renderStatus(await readStatus(client, pool), { paint, isWide });
  if (!flags.watch) {
    io.stdout.write(`${(await draw()).join('\n')}\n`);
    return;
  }
  const screen = new LiveScreen(io.stdout);
  while (!io.signal.aborted) {
    const lines = await draw();
    screen.draw(lines);
    // Without a terminal each picture stands below the one before.
    if (io.stdout.isTTY !== true) io.stdout.write(`${lines.join('\n')}\n\n`);
    await pause(io, watchEveryMs);
  }
}

async function readStatus(client: AdminClient, only: string | undefined): Promise<PoolStatus[]> {
  const pools =
    only === undefined
      ? (await client.get<PoolList>('/v1/pools')).pools
      : [await client.get<PoolSummary>(`/v1/pools/${encodeURIComponent(only)}`)];
  return Promise.all(
    pools.map(async (pool) => {
      const [{ nodes }, scaling] = await Promise.all([
        client.get<NodeList>(`/v1/pools/${encodeURIComponent(pool.pool)}/nodes`),
        readScalingIfAny(client, pool.pool),
      ]);
      return { ...pool, members: nodes, scaling };
    }),
  );
}

/** Lines for all pools, a table each; fits 80 columns for ids of up to ten characters, 140 when wide. */
function renderStatus(
  pools: readonly PoolStatus[],
  { paint, isWide }: { paint: Paint; isWide: boolean },
): string[] {
  if (pools.length === 0) return ['no pools'];
  return pools.flatMap((pool, index) => [
    ...(index > 0 ? [''] : []),
    paint('bold', headline(pool)),
    ...(pool.scaling === null ? [] : [scaleLine(pool.scaling)]),
    ...(isWide ? [learnedLine(pool.learned)] : []),
    ...renderTable([...columns(paint), ...(isWide ? learnedColumns : [])], pool.members),
    ...(pool.members.length === 0 ? ['no nodes yet: none is configured and no agent has reported'] : []),
  ]);
}

function headline(pool: PoolStatus): string {
  const { open, dialling } = pool.connections;
  const parts = [
    `pool ${pool.pool}`,
    `${pool.nodes.eligible} of ${pool.nodes.total} nodes eligible`,
    `${open + dialling} connections`,
    `by ${ruleOf(pool)}${pool.panic ? ' (panic)' : ''}`,
    ...(pool.imbalance === null ? [] : [`max ÷ mean ${pool.imbalance.toFixed(2)}`]),
  ];
  return parts.join(' · ');
}

/** What connections are placed by: the load or what stands for it, or a picker that looks at no load. */
function ruleOf({ picker, basis }: PoolStatus): string {
  const looksAtLoad = picker === 'waterfill' || picker === 'p2c' || picker === 'least';
  return looksAtLoad ? basis : picker;
}

function columns(paint: Paint): readonly Column<NodeDetail>[] {
  return [
    { title: 'NODE', cell: ({ id }) => id },
    { title: 'STATE', cell: (node) => stateOf(node, paint) },
    { title: 'LOAD', cell: ({ score }) => paintLoad(score, paint) },
    { title: '', cell: ({ score }) => percent(score), align: 'right' },
    {
      title: 'CONNS',
      cell: ({ connections }) => String(connections.open + connections.dialling),
      align: 'right',
    },
    { title: 'MSG/S', cell: ({ messagesPerSecond }) => messagesPerSecond.toFixed(0), align: 'right' },
    { title: 'SHARE', cell: ({ share }) => percent(share), align: 'right' },
    { title: 'LAG', cell: ({ signals }) => milliseconds(signals['eventLoopLag']), align: 'right' },
    { title: 'REPORT', cell: ({ reportAgeMs }) => age(reportAgeMs), align: 'right' },
  ];
}

function stateOf(node: NodeDetail, paint: Paint): string {
  if (node.ineligible !== null) return paint('red', node.ineligible);
  if (node.loadState === 'valid') return paint('green', 'ready');
  return paint('yellow', node.loadState === 'none' ? 'no report' : node.loadState);
}

function paintLoad(score: number | null, paint: Paint): string {
  if (score === null) return bar(0, barWidth);
  const colour = score > 0.95 ? 'red' : score > 0.75 ? 'yellow' : 'green';
  return paint(colour, bar(score, barWidth));
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(0)} ms`;
}

function age(ms: number | null): string {
  return ms === null ? '-' : `${(ms / 1000).toFixed(1)} s`;
}
