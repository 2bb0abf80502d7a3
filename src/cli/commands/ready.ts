// `herald ready NODE...` and `herald maint NODE...`: what nodes shall be from now on.
import type { Command } from 'commander';
import type { NodeDetail } from '../../protocol/admin-api.ts';
import type { AdminStateAnswer, AdminStateRequest } from '../../protocol/operations.ts';
import type { AdminClient } from '../admin-client.ts';
import { formatAnswer, withAdminClient, withAdminOptions, type AdminFlags } from '../admin-options.ts';
import { whyFlag } from '../flag-values.ts';
import type { CliIo } from '../io.ts';

interface Flags extends AdminFlags {
  readonly dryRun: boolean;
  readonly why?: string;
}

interface Change {
  readonly id: string;
  readonly before: NodeDetail['adminState'];
  readonly adminState: NodeDetail['adminState'];
  readonly open: number;
}

/** Adds `herald ready` and `herald maint`. */
export function registerReady(program: Command, io: CliIo): void {
  registerState(program, io, {
    adminState: 'ready',
    description: 'let nodes take connections again; ends their drain',
  });
  registerState(program, io, {
    adminState: 'maint',
    description: 'take nodes out at once: nothing is placed on them, their open connections are left alone',
  });
}

function registerState(
  program: Command,
  io: CliIo,
  { adminState, description }: { adminState: 'ready' | 'maint'; description: string },
): void {
  withAdminOptions(program.command(adminState))
    .description(description)
    .argument('<NODE...>', 'nodes')
    .option('-n, --dry-run', 'say what would change and change nothing', false)
    .option('--why <text>', 'reason for the audit event', whyFlag)
    .action(async (named: string[], flags: Flags) => {
      const { output } = flags;
      const changes = await withAdminClient(flags, io, (client) =>
        setAll(client, [...new Set(named)], requestOf(adminState, flags)),
      );
      const text = changes.map((change) => `${sentence(change, flags)}\n`).join('');
      io.stdout.write(output === 'table' ? text : formatAnswer({ nodes: changes }, output));
    });
}

function requestOf(adminState: 'ready' | 'maint', { dryRun, why }: Flags): AdminStateRequest {
  return { adminState, ...(dryRun && { dryRun }), ...(why !== undefined && { why }) };
}

/** All are looked up before the first is changed: a misspelt name changes nothing. */
async function setAll(
  client: AdminClient,
  ids: readonly string[],
  request: AdminStateRequest,
): Promise<Change[]> {
  const before: NodeDetail[] = [];
  for (const id of ids) before.push(await client.get<NodeDetail>(pathOf(id)));
  for (const { id } of before)
    await client.send<AdminStateAnswer>('PUT', `${pathOf(id)}/admin-state`, { body: request });
  return before.map(({ id, adminState, connections }) => ({
    id,
    before: adminState,
    adminState: request.adminState,
    open: connections.open,
  }));
}

function pathOf(id: string): string {
  return `/v1/nodes/${encodeURIComponent(id)}`;
}

function sentence({ id, before, adminState, open }: Change, { dryRun }: Flags): string {
  if (before === adminState) return `${id} was ${adminState} already`;
  const left = adminState === 'maint' && open > 0 ? `; ${open} open connections stay until they end` : '';
  return `${id}: ${before} → ${adminState}${dryRun ? ' (dry run: nothing was changed)' : left}`;
}
