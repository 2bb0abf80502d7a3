// The load as the benchmark sees it: a process that answers commands.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pinned } from './subject-process.ts';
import type { LoadAnswer, LoadCommand, LoadReady } from './words.ts';

/** A running load. */
export interface LoadProcess {
  /** Where its node listens. */
  readonly nodePort: number;
  /** One at a time. Rejects when the process has ended: its last words are on stderr. */
  ask(command: LoadCommand): Promise<LoadAnswer>;
  stop(): void;
}

/** Starts it on the first processor. */
export async function startLoad(): Promise<LoadProcess> {
  const command = [process.execPath, ...process.execArgv, join(import.meta.dirname, 'load.ts')];
  const [file = '', ...rest] = pinned(0, command);
  const child = spawn(file, rest, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const died = once(child, 'exit').then(() => {
    throw new Error('the load has ended');
  });
  // It ends with the benchmark, when nobody waits for it any more.
  died.catch(() => {});
  const next = async <Word>(): Promise<Word> => {
    // Each command has one answer, of the type that load.ts says.
    const [word] = (await Promise.race([once(child, 'message'), died])) as [Word];
    return word;
  };
  const { nodePort } = await next<LoadReady>();
  return {
    nodePort,
    ask(command) {
      child.send(command);
      return next<LoadAnswer>();
    },
    stop: () => void child.kill(),
  };
}
