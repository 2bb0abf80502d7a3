// `herald policy show NAME` and `herald policy diff FILE...`: what runs, and what a file would change about it.
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { readablePolicy } from '../../balancer/admin/readable-policy.ts';
import { HeraldError } from '../../core/error.ts';
import { readPolicyFile } from '../../platform/config.ts';
import type { Policy } from '../../policy/policy.ts';
import { formatProblem } from '../../policy/problem.ts';
import type { PolicyDocument } from '../../protocol/admin-api.ts';
import type { AdminClient } from '../admin-client.ts';
import {
  formatAnswer,
  outputOption,
  withAdminClient,
  withAdminOptions,
  withTargetOptions,
  type AdminFlags,
} from '../admin-options.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { CliIo } from '../io.ts';
import { policyChanges, type PolicyChange } from '../policy-changes.ts';
import { paintFor, type Paint } from '../table.ts';

interface PolicyDiff {
  readonly file: string;
  readonly policy: string;
  /** The running balancer has no policy of this name. */
  readonly isNew: boolean;
  readonly changes: readonly PolicyChange[];
}

/** Adds both to `herald policy`. */
export function registerPolicyShow(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  const group = program.commands.find((command) => command.name() === 'policy') ?? program.command('policy');
  withTargetOptions(group.command('show'))
    .description('print a policy of the running balancer, every default filled in')
    .argument('<NAME>', 'name of the policy')
    .addOption(outputOption(['yaml', 'json']))
    .action(async (name: string, flags: AdminFlags<'yaml' | 'json'>) => {
      const document = await withAdminClient(flags, io, (client) => client.get<PolicyDocument>(pathOf(name)));
      io.stdout.write(formatAnswer(document, flags.output));
    });
  withAdminOptions(group.command('diff'))
    .description('say what policy files would change about the running balancer; ends with 1 if anything')
    .argument('<FILE...>', 'policy files')
    .action(async (files: string[], flags: AdminFlags) => {
      const policies = await readPolicies(files);
      const diffs = await withAdminClient(flags, io, async (client) => {
        const all: PolicyDiff[] = [];
        for (const [file, policy] of policies) all.push(await diff(client, file, policy));
        return all;
      });
      const lines = diffs.flatMap((each) => diffLines(each, paintFor(io.stdout, io.env)));
      io.stdout.write(
        flags.output === 'table' ? `${lines.join('\n')}\n` : formatAnswer({ files: diffs }, flags.output),
      );
      if (diffs.some(({ changes }) => changes.length > 0)) finish(exitCodes.failed);
    });
}

function pathOf(name: string): string {
  return `/v1/policies/${encodeURIComponent(name)}`;
}

/** Sound policies by file; HERALD_CONFIG_INVALID with every problem of every file. */
async function readPolicies(files: readonly string[]): Promise<[string, Policy][]> {
  const read: [string, Policy][] = [];
  const problems: string[] = [];
  for (const file of files) {
    const { policy, problems: found } = await readPolicyFile(file, file);
    problems.push(...found.map(formatProblem));
    if (policy !== undefined) read.push([file, policy]);
  }
  if (problems.length > 0) throw new HeraldError('HERALD_CONFIG_INVALID', problems.join('\n'));
  return read;
}

async function diff(client: AdminClient, file: string, policy: Policy): Promise<PolicyDiff> {
  const running = await client.get<PolicyDocument>(pathOf(policy.name)).catch((error: unknown) => {
    if (error instanceof HeraldError && error.code === 'HERALD_POLICY_UNKNOWN') return undefined;
    throw error;
  });
  const changes = policyChanges(running ?? {}, readablePolicy(policy));
  return { file, policy: policy.name, isNew: running === undefined, changes };
}

function diffLines({ file, policy, isNew, changes }: PolicyDiff, paint: Paint): string[] {
  if (isNew) return [`${file}: the running balancer has no policy '${policy}': it would be new`];
  if (changes.length === 0) return [`${file}: policy '${policy}' runs as it is written here`];
  return [
    `${file}: policy '${policy}' would change`,
    ...changes.flatMap(({ path, from, to }) => [
      ...(from === undefined ? [] : [paint('red', `- ${path}: ${written(from)}`)]),
      ...(to === undefined ? [] : [paint('green', `+ ${path}: ${written(to)}`)]),
    ]),
  ];
}

function written(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow' }).trim();
}
