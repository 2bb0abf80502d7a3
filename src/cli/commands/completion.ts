// `herald completion SHELL`: a script made from the commands, and the hidden command that it asks for names.
import { Argument, type Command } from 'commander';
import type { NodeList, PoolList } from '../../protocol/admin-api.ts';
import type { OperationList } from '../../protocol/operations.ts';
import { createAdminClient, type AdminClient } from '../admin-client.ts';
import { withTargetOptions } from '../admin-options.ts';
import { findTarget, type TargetFlags } from '../admin-target.ts';
import { bashScript } from '../completion/bash.ts';
import { commandEntries, nameKinds, type CommandEntry, type NameKind } from '../completion/command-tree.ts';
import { fishScript } from '../completion/fish.ts';
import { zshScript } from '../completion/zsh.ts';
import type { CliIo } from '../io.ts';

const scriptOf = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
} as const satisfies Record<string, (entries: readonly CommandEntry[]) => string>;

// Somebody waits at the keyboard: rather no names than late ones.
const namesTimeoutMs = 700;

/** Adds `herald completion`. Last of all: the script knows the commands that are there. */
export function registerCompletion(program: Command, io: CliIo): void {
  program
    .command('completion')
    .description('print a script that completes commands, flags and names in your shell')
    .addArgument(new Argument('<SHELL>', 'your shell').choices(Object.keys(scriptOf)))
    .addHelpText('after', '\nTry it: source <(herald completion bash)')
    .action((shell: keyof typeof scriptOf) => {
      io.stdout.write(scriptOf[shell](commandEntries(program)));
    });
  withTargetOptions(program.command('__names', { hidden: true }))
    .addArgument(new Argument('<KIND>').choices(nameKinds))
    .action(async (kind: NameKind, flags: TargetFlags) => {
      const names = await namesOf(kind, flags, io);
      // A shell may expand what it is given: only what cannot mean anything to one.
      const safe = names.filter((name) => /^[\w.:-]+$/.test(name));
      io.stdout.write(safe.map((name) => `${name}\n`).join(''));
    });
}

/** Empty when no balancer answers at once: a completion has nobody to complain to. */
async function namesOf(kind: NameKind, flags: TargetFlags, io: CliIo): Promise<readonly string[]> {
  try {
    const client = createAdminClient(await findTarget(flags, io), namesTimeoutMs);
    try {
      return await readNames(client, kind);
    } finally {
      await client.close();
    }
  } catch {
    return [];
  }
}

async function readNames(client: AdminClient, kind: NameKind): Promise<readonly string[]> {
  if (kind === 'operations') {
    const { operations } = await client.get<OperationList>('/v1/operations');
    return operations.map(({ id }) => id);
  }
  const { pools } = await client.get<PoolList>('/v1/pools');
  if (kind === 'pools') return pools.map(({ pool }) => pool);
  if (kind === 'policies') return [...new Set(pools.map(({ policy }) => policy))];
  const lists = await Promise.all(
    pools.map(({ pool }) => client.get<NodeList>(`/v1/pools/${encodeURIComponent(pool)}/nodes`)),
  );
  return lists.flatMap(({ nodes }) => nodes.map(({ id }) => id));
}
