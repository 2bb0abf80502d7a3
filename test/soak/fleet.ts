// The nodes of a soak as the runner holds them.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { within } from '../support/eventually.ts';
import type { NodesReady, NodesStart } from './node-child.ts';

/** Running nodes. */
export interface Fleet {
  readonly ids: readonly string[];
  /** Their ports, in the order of the ids. */
  readonly ports: readonly number[];
  /** Ends their process. */
  end(): Promise<void>;
}

const startWithinMs = 120_000;

/** Starts nodes `n-1` to `n-COUNT` in one process; resolves when all listen. */
export async function startFleet(count: number, intakeUrl: string): Promise<Fleet> {
  const ids = Array.from({ length: count }, (_, index) => `n-${index + 1}`);
  const child = fork(join(import.meta.dirname, 'node-child.ts'), {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const start: NodesStart = { ids, intakeUrl };
  child.send(start);
  // Proof of `as`: what node-child.ts sends.
  const [{ ports }] = (await within(once(child, 'message'), 'the nodes listen', startWithinMs)) as [
    NodesReady,
  ];
  return {
    ids,
    ports,
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    },
  };
}
