// How a sidecar gets its configuration: checked by a process of its own, compiled here.
import { fork } from 'node:child_process';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HeraldError } from '../core/error.ts';
import type { AgentConfig } from '../policy/agent-config.ts';
import { compileAgent } from '../policy/compile-agent.ts';
import type { AgentConfigAnswer } from './agent-config-process.ts';
import type { CliIo } from './io.ts';

/** A configuration with what was odd about it. */
export interface ReadAgentConfig {
  readonly config: AgentConfig;
  /** One line each; they stop nothing. */
  readonly warnings: readonly string[];
}

/** Reading and checking takes a third of a second; on a machine without CPU to spare much longer. */
const limitMs = 60_000;

/** Reads agent.yaml. Throws HERALD_CONFIG_UNREADABLE, or HERALD_CONFIG_INVALID with all problems. */
export async function readAgentConfig(path: string, { env, clock }: CliIo): Promise<ReadAgentConfig> {
  const answer = await ask(path, env, clock);
  if (!('loaded' in answer)) throw new HeraldError(answer.code, answer.message, { path });
  const { document, secrets, warnings } = answer.loaded;
  const resolvePath = (written: string): string => resolve(dirname(path), written);
  return { config: compileAgent(document, { resolvePath, secrets }), warnings };
}

async function ask(path: string, env: CliIo['env'], clock: CliIo['clock']): Promise<AgentConfigAnswer> {
  // Compiled or not: a child runs what its parent runs.
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  const module = fileURLToPath(new URL(`./agent-config-process.${extension}`, import.meta.url));
  const child = fork(module, [path], {
    env: { ...env },
    // Infinity and maps are no JSON.
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const late = clock.schedule(limitMs, () => child.kill('SIGKILL'));
  try {
    return await new Promise<AgentConfigAnswer>((resolve, reject) => {
      const fail = (reason: string): void =>
        reject(
          new HeraldError('HERALD_CONFIG_UNREADABLE', `${path} could not be checked: ${reason}`, { path }),
        );
      // Proof of the cast: the module above sends this and nothing else.
      child.once('message', (message) => resolve(message as AgentConfigAnswer));
      child.once('error', (error) => fail(error.message));
      child.once('exit', (code, signal) => fail(`its process ended with ${signal ?? code}`));
    });
  } finally {
    late.cancel();
  }
}
