// `herald agent`: the sidecar. What runs is loaded only when it runs.
import { existsSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { findAgentConfigPath } from '../../platform/find-agent-config.ts';
import type { ExitCode } from '../exit-code.ts';
import type { CliIo } from '../io.ts';

interface Flags {
  readonly config?: string;
  readonly once?: true;
  readonly output: 'table' | 'json';
}

/** Adds `herald agent`. */
export function registerAgent(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  program
    .command('agent')
    .description('run an agent beside a server in any language (sidecar)')
    .option('-c, --config <file>', 'configuration file (default: $HERALD_AGENT_CONFIG, ./agent.yaml)')
    .option('--once', 'measure once, show what would be reported and what is missing, and end')
    .addOption(
      new Option('-o, --output <format>', 'form of the answer to --once')
        .choices(['table', 'json'])
        .default('table'),
    )
    .action(async ({ config, once, output }: Flags) => {
      const path = findAgentConfigPath(config, io.env, existsSync);
      if (once === true) {
        const { showOnce } = await import('../agent-once.ts');
        await showOnce(path, io, output);
        return;
      }
      const { runAgent } = await import('../run-agent.ts');
      finish(await runAgent(path, io));
    });
}
