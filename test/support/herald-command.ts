// The built `herald` command as a child process: run to its end, or held while it runs.
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { within } from './eventually.ts';

/** Path of the built command. */
export const heraldPath = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How a command ended. */
export interface CommandEnd {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything written so far. */
  readonly stdout: string;
  readonly stderr: string;
  /** Its end; rejects when it has not come within `limitMs`, after killing it. */
  ended(limitMs?: number): Promise<CommandEnd>;
}

/** Where a command runs. */
export interface CommandSurroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** In a process group of its own, whose id is the command's pid, as a shell starts it. */
  readonly ownGroup?: boolean;
  readonly onStdout?: (text: string) => void;
}

const alive = new Set<ChildProcess>();
// A test run that is cut short must leave no balancer behind.
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** With HERALD_TEST_WORKERS every balancer of every test has workers, but those that say otherwise. */
function workersOfTest(): Record<string, string> {
  const workers = process.env['HERALD_TEST_WORKERS'];
  return workers === undefined ? {} : { HERALD_WORKERS: workers };
}

/** Starts `herald` with these arguments. No other of this process's HERALD_* variables reaches it. */
export function startCommand(
  args: readonly string[],
  surroundings: CommandSurroundings = {},
): RunningCommand {
  if (!existsSync(heraldPath)) throw new Error('dist/ is not built: run `npm run build` first');
  return startProcess(process.execPath, [heraldPath, ...args], surroundings);
}

/** Starts any program in the same way. */
export function startProcess(
  program: string,
  args: readonly string[],
  { cwd, env, ownGroup = false, onStdout }: CommandSurroundings = {},
): RunningCommand {
  const child = spawn(program, args, {
    cwd,
    detached: ownGroup,
    env: { ...cleanEnvironment(), ...workersOfTest(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  alive.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    onStdout?.(text);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const end = new Promise<CommandEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', () => alive.delete(child));
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  end.catch(() => {});
  return {
    child,
    pid: child.pid ?? 0,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    async ended(limitMs = 30_000) {
      try {
        return await within(end, `the end of ${args.join(' ')}`, limitMs);
      } catch (error) {
        child.kill('SIGKILL');
        throw error;
      }
    },
  };
}

/** Runs `herald` to its end. */
export function runCommand(
  args: readonly string[],
  surroundings: CommandSurroundings = {},
): Promise<CommandEnd> {
  return startCommand(args, surroundings).ended();
}

function cleanEnvironment(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('HERALD_') && !['NO_COLOR', 'FORCE_COLOR', 'NODE_OPTIONS'].includes(name),
  );
  return Object.fromEntries(kept);
}
