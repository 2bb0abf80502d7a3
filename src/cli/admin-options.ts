// What every command that asks a running balancer has in common: where it is, and how to print.
import { Option, type Command } from 'commander';
import { stringify } from 'yaml';
import { createAdminClient, type AdminClient } from './admin-client.ts';
import { findTarget, type TargetFlags } from './admin-target.ts';
import type { CliIo } from './io.ts';

/** Flags of `withAdminOptions`; `Output` is what `-o` may be. */
export interface AdminFlags<Output extends string = 'table' | 'json' | 'yaml'> extends TargetFlags {
  readonly output: Output;
}

/** Adds where the balancer is and `-o` to a command; `more` are forms that it has beside table, json and yaml. */
export function withAdminOptions(command: Command, more: readonly string[] = []): Command {
  return withTargetOptions(command).addOption(outputOption(['table', ...more, 'json', 'yaml']));
}

/** `-o` with these forms; the first is the default. */
export function outputOption(forms: readonly [string, ...string[]]): Option {
  return new Option('-o, --output <format>', 'form of the answer').choices(forms).default(forms[0]);
}

/** Adds the flags that say where the balancer is. */
export function withTargetOptions(command: Command): Command {
  return command
    .option(
      '-s, --socket <path>',
      "the balancer's admin socket (default: $HERALD_SOCKET, else what the configuration says)",
    )
    .option('-c, --config <file>', 'configuration file that names the socket')
    .option('--url <url>', "the balancer's admin listener over TCP (default: $HERALD_URL)")
    .option('--token-file <file>', 'file of the token for --url (default: $HERALD_TOKEN_FILE)')
    .option('--ca <file>', 'PEM file of who signed the certificate of --url')
    .option('--cert <file>', 'PEM file of the certificate to show at --url')
    .option('--key <file>', 'PEM file of its key');
}

/** Runs `use` with a client of the balancer that the flags mean, and closes it. */
export async function withAdminClient<Answer>(
  flags: TargetFlags,
  io: CliIo,
  use: (client: AdminClient) => Promise<Answer>,
): Promise<Answer> {
  const client = createAdminClient(await findTarget(flags, io));
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** An answer as JSON or YAML text with a final line end. */
export function formatAnswer(answer: unknown, output: 'json' | 'yaml'): string {
  return output === 'json' ? `${JSON.stringify(answer, undefined, 2)}\n` : stringify(answer);
}
