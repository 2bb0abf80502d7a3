// A sidecar as its users have it: the built `herald agent` in a process of its own, with its file in a directory.
import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { startCommand, type CommandEnd, type RunningCommand } from './herald-command.ts';
import { writeIn } from './herald-setup.ts';
import type { LogLine } from './herald-process.ts';
import { until } from './until.ts';

/** A running sidecar. */
export interface SidecarProcess {
  readonly pid: number;
  /** Directory of agent.yaml. */
  readonly folder: string;
  readonly logs: readonly LogLine[];
  readonly command: RunningCommand;
  /** Waits for a log line that has these members, from line `from` on. */
  logged(members: object, from?: number): Promise<LogLine>;
  /** Writes agent.yaml anew. */
  write(agent: object | string): void;
  signal(signal: NodeJS.Signals): void;
  ended(): Promise<CommandEnd>;
}

/** What a sidecar under test is. */
export interface SidecarSetup {
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
}

/** An agent.yaml for the pool `chat` that reports ten times a second, with `changes` to its sections. */
export function anAgentFile(changes: object = {}): object {
  return {
    apiVersion: 'herald/v1',
    kind: 'Agent',
    pool: 'chat',
    interval: '100ms',
    log: { format: 'json' },
    ...changes,
  };
}

/** Makes a directory with agent.yaml; the test removes it. */
export function writeAgentFile(agent: object | string, { files = {} }: SidecarSetup = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'hs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeIn(folder, name, text);
  writeIn(folder, 'agent.yaml', agent);
  return folder;
}

/** Starts a sidecar for one test, which ends it. */
export function aSidecar(agent: object | string, setup: SidecarSetup = {}): SidecarProcess {
  const folder = writeAgentFile(agent, setup);
  const logs: LogLine[] = [];
  let rest = '';
  const command = startCommand(['agent'], {
    cwd: folder,
    env: { ...setup.env },
    onStdout(text) {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) logs.push(JSON.parse(line) as LogLine);
    },
  });
  onTestFinished(async () => {
    command.child.kill('SIGTERM');
    await command.ended();
  });
  return {
    folder,
    logs,
    command,
    pid: command.pid,
    async logged(members, from = 0) {
      const wanted = Object.entries(members);
      const found = (): LogLine | undefined =>
        logs.slice(from).find((line) => wanted.every(([key, value]) => line[key] === value));
      await until(
        () => found() !== undefined || command.child.exitCode !== null,
        () => `no line ${JSON.stringify(members)} in ${JSON.stringify(logs)}; ${command.stderr}`,
        20_000,
      );
      const line = found();
      if (line === undefined) throw new Error(`the sidecar ended: ${command.stderr} ${JSON.stringify(logs)}`);
      return line;
    },
    write: (next) => writeIn(folder, 'agent.yaml', next),
    signal: (signal) => void command.child.kill(signal),
    ended: () => command.ended(),
  };
}
