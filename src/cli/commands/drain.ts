// `herald drain NODE...`: empties nodes and stays until they are empty.
import type { Command } from 'commander';
import { HeraldError } from '../../core/error.ts';
import type { NodeDetail, NodeList } from '../../protocol/admin-api.ts';
import type { AdminStateAnswer, AdminStateRequest } from '../../protocol/operations.ts';
import type { AdminClient } from '../admin-client.ts';
import { withAdminClient, withAdminOptions } from '../admin-options.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import { deadlineFlag, usageError } from '../flag-values.ts';
import type { CliIo } from '../io.ts';
import {
  concludeOperation,
  operationRequest,
  withOperationOptions,
  type OperationFlags,
} from '../operation-command.ts';

interface Flags extends OperationFlags {
  readonly deadline?: number;
  readonly force: boolean;
  readonly self: boolean;
}

/** Adds `herald drain`. */
export function registerDrain(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  const command = withAdminOptions(program.command('drain'))
    .description('place nothing on these nodes any more and let their connections go, by a deadline')
    .argument('[NODE...]', 'nodes of one pool')
    .option(
      '-d, --deadline <duration>',
      "when what is left is ended, such as 10m (default: the policy's)",
      deadlineFlag,
    )
    .option('-f, --force', 'drain although the rest of the pool would pass saturation', false)
    .option('--self', 'this node is going away: $HERALD_NODE_ID, never refused', false);
  withOperationOptions(command).action(async (named: string[], flags: Flags) => {
    const nodes = nodesMeant(named, flags, io);
    finish(await withAdminClient(flags, io, (client) => drain(client, { nodes, flags, io })));
  });
}

function nodesMeant(named: readonly string[], { self }: Flags, io: CliIo): readonly string[] {
  const nodes = [...new Set(named)];
  if (!self && nodes.length === 0)
    throw usageError('which node? name one that `herald status` lists, or say --self');
  if (!self) return nodes;
  const own = nodes[0] ?? io.env['HERALD_NODE_ID'] ?? '';
  if (nodes.length > 1) throw usageError('--self drains one node: this one, by HERALD_NODE_ID');
  if (own !== '') return [own];
  throw usageError('--self needs the id of this node in HERALD_NODE_ID');
}

interface Run {
  readonly nodes: readonly string[];
  readonly flags: Flags;
  readonly io: CliIo;
}

async function drain(client: AdminClient, { nodes, flags, io }: Run): Promise<ExitCode> {
  const answer = await ask(client, nodes, requestOf(flags));
  const lines = flags.dryRun ? dryRunLines(answer, flags) : ['nothing to drain'];
  // A dry run ends as the drain would: a script can ask before it acts.
  const code = isRefused(answer, flags) ? exitCodes.refused : exitCodes.done;
  const sentence = answer.forecast?.sentence ?? '';
  return concludeOperation(client, answer, { flags, io, instead: { lines, code }, sentence });
}

/** One node by its own resource, several together: all or none, and all ineligible before the first one is emptied. */
async function ask(
  client: AdminClient,
  nodes: readonly string[],
  request: AdminStateRequest,
): Promise<AdminStateAnswer> {
  const [first = ''] = nodes;
  const path = `/v1/nodes/${encodeURIComponent(first)}`;
  try {
    if (nodes.length === 1) return await client.send('PUT', `${path}/admin-state`, { body: request });
    const pool = await commonPool(client, nodes);
    const { adminState: _, ...body } = request;
    return await client.send('POST', `/v1/pools/${encodeURIComponent(pool)}/drains`, {
      body: { nodes, ...body },
    });
  } catch (error) {
    throw withForceHint(error);
  }
}

/** The pool that all are of; the API would call a node of another pool unknown. */
async function commonPool(client: AdminClient, nodes: readonly string[]): Promise<string> {
  const detail = (id: string) => client.get<NodeDetail>(`/v1/nodes/${encodeURIComponent(id)}`);
  const first = await detail(nodes[0] ?? '');
  const list = await client.get<NodeList>(`/v1/pools/${encodeURIComponent(first.pool)}/nodes`);
  const known = new Set(list.nodes.map(({ id }) => id));
  const foreign = nodes.find((id) => !known.has(id));
  if (foreign === undefined) return first.pool;
  const { pool } = await detail(foreign);
  throw usageError(`${first.id} is of pool ${first.pool}, ${foreign} of ${pool}: drain each pool by itself`);
}

/** The refusal as a person at a command line reads it: the forecast, then the flag. */
function withForceHint(error: unknown): unknown {
  if (!(error instanceof HeraldError) || error.code !== 'HERALD_DRAIN_REFUSED') return error;
  const sentence = error.message.replace(/\. Use force[^.]*$/, '');
  const message = `${sentence}; --force drains all the same`;
  return new HeraldError('HERALD_DRAIN_REFUSED', message, error.details, { cause: error });
}

function requestOf(flags: Flags): AdminStateRequest {
  const { deadline, force, self } = flags;
  return {
    adminState: 'drain',
    ...(deadline !== undefined && { deadlineMs: deadline }),
    ...(force && { force }),
    ...(self && { self }),
    ...operationRequest(flags),
  };
}

function isRefused({ forecast }: AdminStateAnswer, { force, self }: Flags): boolean {
  return forecast?.isRefused === true && !force && !self;
}

function dryRunLines(answer: AdminStateAnswer, flags: Flags): string[] {
  const { nodes, forecast } = answer;
  const what = isRefused(answer, flags)
    ? 'would be refused: --force drains all the same'
    : 'nothing was changed: this was a dry run';
  return [
    forecast?.sentence ?? `${nodes.join(', ')}: no load data, so nothing can be said of the rest`,
    what,
  ];
}
