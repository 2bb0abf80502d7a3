// What every command that asks a running balancer has in common: where its socket is, and how to print.
import { existsSync } from 'node:fs';
import { Option, type Command } from 'commander';
import { stringify } from 'yaml';
import { HeraldError } from '../core/error.ts';
import { findConfigPath, loadConfig } from '../platform/config.ts';
import { createAdminClient, type AdminClient } from './admin-client.ts';
import type { CliIo } from './io.ts';

/** Flags of `withAdminOptions`; `Output` is what `-o` may be. */
export interface AdminFlags<Output extends string = 'table' | 'json' | 'yaml'> {
  readonly config?: string;
  readonly socket?: string;
  readonly output: Output;
}

/** Adds `--socket`, `--config` and `-o` to a command; `more` are forms that it has beside table, json and yaml. */
export function withAdminOptions(command: Command, more: readonly string[] = []): Command {
  return command
    .option(
      '-s, --socket <path>',
      "the balancer's admin socket (default: $HERALD_SOCKET, else what the configuration says)",
    )
    .option('-c, --config <file>', 'configuration file that names the socket')
    .addOption(
      new Option('-o, --output <format>', 'form of the answer')
        .choices(['table', ...more, 'json', 'yaml'])
        .default('table'),
    );
}

/** Runs `use` with a client of the balancer that the flags mean, and closes it. */
export async function withAdminClient<Answer>(
  flags: AdminFlags<string>,
  io: CliIo,
  use: (client: AdminClient) => Promise<Answer>,
): Promise<Answer> {
  const client = createAdminClient(await socketPath(flags, io));
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

async function socketPath({ socket, config }: AdminFlags<string>, io: CliIo): Promise<string> {
  const named = socket ?? io.env['HERALD_SOCKET'];
  if (named !== undefined && named !== '') return named;
  try {
    const loaded = await loadConfig(findConfigPath(config, io.env, existsSync), io.env);
    return loaded.config.admin.socketPath;
  } catch (error) {
    if (!(error instanceof HeraldError) || config !== undefined) throw error;
    const hint = 'name the socket with --socket or HERALD_SOCKET, or the configuration with --config';
    throw new HeraldError(
      'HERALD_UNREACHABLE',
      `which balancer? ${hint}. ${error.message}`,
      {},
      { cause: error },
    );
  }
}

/** An answer as JSON or YAML text with a final line end. */
export function formatAnswer(answer: unknown, output: 'json' | 'yaml'): string {
  return output === 'json' ? `${JSON.stringify(answer, undefined, 2)}\n` : stringify(answer);
}
