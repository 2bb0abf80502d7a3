// `herald status [POOL]`: the fleet in one table a pool.
import type { Command } from 'commander';
import type { NodeDetail, NodeList, PoolList, PoolSummary } from '../../protocol/admin-api.ts';
import type { FreezeState } from '../../protocol/operations.ts';
import type { PeersAnswer } from '../../protocol/peering.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { AdminClient } from '../admin-client.ts';
import { formatAnswer, withAdminClient, withAdminOptions, type AdminFlags } from '../admin-options.ts';
import { earlierSentence, readTakeover } from '../earlier-processes.ts';
import { usageError } from '../flag-values.ts';
import type { CliIo } from '../io.ts';
import { LiveScreen } from '../live-screen.ts';
import { connectionCount, loadBar, reportAge, stateCell } from '../node-cells.ts';
import { pause } from '../pause.ts';
import { peerLine, readPeersIfAny } from '../peer-lines.ts';
import { freezeSentence, readFreeze } from '../pool-freeze.ts';
import { readScalingIfAny } from '../read-scaling.ts';
import { scaleLine } from '../scale-lines.ts';
import { readWorkers, workerLine } from '../worker-lines.ts';
import {
  columnsOf,
  paintFor,
  percent,
  renderTable,
  tableWidth,
  wrapText,
  type Column,
  type Paint,
} from '../table.ts';
import { learnedColumns, learnedLine } from './learned-columns.ts';

interface Flags extends AdminFlags<'table' | 'wide' | 'json' | 'yaml'> {
  readonly watch: boolean;
}

interface PoolStatus extends PoolSummary {
  /** Null where the balancer runs without its control loops. */
  readonly freeze: FreezeState | null;
  readonly members: readonly NodeDetail[];
}

/** How it is drawn. */
interface Look {
  readonly paint: Paint;
  readonly isWide: boolean;
  /** By pool; none for pools of a balancer that recommends nothing. In JSON it is `herald scale` that has them. */
  readonly scalings: ReadonlyMap<string, Scaling>;
  /** Of processes that have been replaced and still relay; '' for none. */
  readonly earlier: string;
  /** Undefined from a balancer that does not tell. */
  readonly peers: PeersAnswer | undefined;
  /** Of processes that relay; '' for none. */
  readonly workers: string;
  /** Most that a line may take. */
  readonly columns: number;
}

const watchEveryMs = 1000;
const widestBar = 10;
// Shorter ones say nothing that the figure beside them does not.
const shortestBar = 4;
// What was learned does not fit a narrow terminal in any way: it is asked for by who has a wide one.
const wideColumns = 140;

/** Adds `herald status`. */
export function registerStatus(program: Command, io: CliIo): void {
  withAdminOptions(program.command('status'), ['wide'])
    .description('show pools and nodes: load, connections, shares; wide: what was learned as well')
    .argument('[POOL]', 'only this pool')
    .option('-w, --watch', 'draw again every second until interrupted', false)
    .action(async (pool: string | undefined, flags: Flags) => {
      if (flags.watch && (flags.output === 'json' || flags.output === 'yaml'))
        throw usageError('--watch draws tables: leave -o out, or use `-o json` without it');
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
    const takeover = (await readTakeover(client)) ?? null;
    const peers = await readPeersIfAny(client);
    const workers = await readWorkers(client);
    const pools = await readStatus(client, pool);
    // Where nothing is shared there is nothing to say of it.
    const balancer = peers === undefined || peers.self === '' ? {} : { balancer: peers };
    io.stdout.write(
      formatAnswer({ ...balancer, pools, takeover, ...(workers.length > 0 && { workers }) }, output),
    );
    return;
  }
  const isWide = output === 'wide';
  const draw = async () => {
    const pools = await readStatus(client, pool);
    return renderStatus(pools, {
      paint,
      isWide,
      scalings: await readScalings(client, pools),
      earlier: earlierSentence(await readTakeover(client)),
      peers: await readPeersIfAny(client),
      workers: workerLine(await readWorkers(client), { isWide }),
      columns: Math.max(isWide ? wideColumns : 0, columnsOf(io.stdout, io.env)),
    });
  };
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
  const statuses: PoolStatus[] = [];
  for (const summary of pools) {
    const { nodes } = await client.get<NodeList>(`/v1/pools/${encodeURIComponent(summary.pool)}/nodes`);
    const freeze = (await readFreeze(client, summary.pool)) ?? null;
    statuses.push({ ...summary, freeze, members: nodes });
  }
  return statuses;
}

async function readScalings(
  client: AdminClient,
  pools: readonly PoolStatus[],
): Promise<ReadonlyMap<string, Scaling>> {
  const scalings = new Map<string, Scaling>();
  for (const { pool } of pools) {
    const scaling = await readScalingIfAny(client, pool);
    if (scaling !== undefined) scalings.set(pool, scaling);
  }
  return scalings;
}

/** Lines for all pools, a table each; fits 80 columns for ids of up to 24 characters, 140 when wide. */
function renderStatus(pools: readonly PoolStatus[], look: Look): string[] {
  const { paint, isWide, columns, scalings, peers } = look;
  if (pools.length === 0) return ['no pools'];
  const lines = (text: string) => wrapText(text, columns, '  ');
  const earlier = look.earlier === '' ? [] : [...lines(look.earlier), ''];
  const others = peers === undefined ? '' : peerLine(peers);
  const first = [others, look.workers].filter((line) => line !== '').flatMap(lines);
  const head = first.length === 0 ? [] : [...first, ''];
  const tables = pools.flatMap((pool, index) => [
    ...(index > 0 ? [''] : []),
    ...lines(headline(pool)).map((line) => paint('bold', line)),
    ...(pool.freeze?.frozen === true
      ? lines(freezeSentence(pool.freeze)).map((line) => paint('yellow', line))
      : []),
    ...scalingLines(scalings.get(pool.pool)).flatMap(lines),
    ...(isWide ? lines(learnedLine(pool.learned)) : []),
    ...nodeTable(pool.members, look),
    ...(pool.members.length === 0 ? ['no nodes yet: none is configured and no agent has reported'] : []),
  ]);
  return [...head, ...earlier, ...tables];
}

/** None where nothing is known and nothing is to be done: pools without agents are no news. */
function scalingLines(scaling: Scaling | undefined): string[] {
  const isSilent = scaling === undefined || (scaling.state === 'unknown' && scaling.action === 'hold');
  // That it is frozen has its own line.
  return isSilent ? [] : [scaleLine({ ...scaling, isFrozen: false })];
}

function headline(pool: PoolStatus): string {
  const { open, dialling, earlier } = pool.connections;
  const parts = [
    `pool ${pool.pool}`,
    `${pool.nodes.eligible} of ${pool.nodes.total} nodes eligible`,
    `${open + dialling + earlier} connections`,
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

/** The bar takes what the rest leaves, and goes where that is next to nothing: names and figures matter more. */
function nodeTable(nodes: readonly NodeDetail[], { paint, isWide, columns }: Look): string[] {
  const withBar = (width: number): readonly Column<NodeDetail>[] => [
    { title: 'NODE', cell: ({ id }) => id, whenNarrow: 12 },
    { title: 'STATE', cell: (node) => stateCell(node, paint) },
    ...(width < shortestBar ? [] : [barColumn(width, paint)]),
    { title: width < shortestBar ? 'LOAD' : '', cell: ({ score }) => percent(score), align: 'right' },
    { title: 'CONNS', cell: connectionCount, align: 'right' },
    { title: 'MSG/S', cell: ({ messagesPerSecond }) => messagesPerSecond.toFixed(0), align: 'right' },
    { title: 'SHARE', cell: ({ share }) => percent(share), align: 'right' },
    { title: 'LAG', cell: ({ signals }) => milliseconds(signals['eventLoopLag']), align: 'right' },
    { title: 'REPORT', cell: ({ reportAgeMs }) => reportAge(reportAgeMs), align: 'right' },
    ...(isWide ? learnedColumns : []),
  ];
  const excess = Math.max(0, tableWidth(withBar(widestBar), nodes) - columns);
  return renderTable(withBar(widestBar - excess), nodes, columns);
}

function barColumn(width: number, paint: Paint): Column<NodeDetail> {
  return { title: 'LOAD', cell: ({ score }) => loadBar(score, width, paint) };
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? '-' : `${value.toFixed(0)} ms`;
}
