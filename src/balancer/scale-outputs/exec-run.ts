// Runs one command to its end: no shell, a process group of its own, bounded in time and in what it says.
import { spawn, type ChildProcess } from 'node:child_process';
import type { Clock, Timer } from '../../core/clock.ts';

/** One run of a command. */
export interface Command {
  /** A path, or a name to look up in the PATH of `env`. */
  readonly program: string;
  readonly args: readonly string[];
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Written to its standard input, which is closed then. */
  readonly input: string;
  readonly timeoutMs: number;
}

/** How a command ended. `output` is the end of what it wrote to stdout and stderr, in the order in which it came. */
export type CommandEnd =
  | { readonly kind: 'exited'; readonly code: number; readonly output: string }
  | { readonly kind: 'killed'; readonly signal: string; readonly output: string }
  | { readonly kind: 'late'; readonly output: string }
  | { readonly kind: 'stopped'; readonly output: string }
  /** It could not be run at all. */
  | { readonly kind: 'unrunnable'; readonly reason: string };

// Between being asked to end and being ended.
const killAfterMs = 5000;
// What it has started may hold its pipes open long after it has ended.
const pipesAfterMs = 500;
const maxOutputBytes = 4096;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program, or no such interpreter as its first line names',
  EACCES: 'it may not be executed',
  E2BIG: 'its arguments and variables are too long together: read the victims from standard input',
  EAGAIN: 'this machine runs too many processes',
};

/** Runs it. Never rejects; aborting `signal` ends it like a timeout does. */
export function runCommand(command: Command, clock: Clock, signal: AbortSignal): Promise<CommandEnd> {
  return new Promise((resolve) => {
    let child: ChildProcess;
    try {
      child = spawn(command.program, [...command.args], {
        env: command.env,
        // A group of its own: what it starts is ended with it.
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe'],
      });
    } catch (error) {
      // Arguments that are too long are thrown, a missing program is emitted.
      resolve({ kind: 'unrunnable', reason: reasonOf(error) });
      return;
    }
    const run = new Run(child, { command, clock, signal });
    void run.end.then(resolve);
  });
}

class Run {
  readonly end: Promise<CommandEnd>;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #endedBy: 'late' | 'stopped' | undefined;
  #isKilled = false;
  #finish: () => void = () => undefined;
  #timer: Timer | undefined;

  constructor(
    child: ChildProcess,
    { command, clock, signal }: { command: Command; clock: Clock; signal: AbortSignal },
  ) {
    this.#child = child;
    this.#clock = clock;
    this.#timer = clock.schedule(command.timeoutMs, () => this.#endGroup('late'));
    const stop = () => this.#endGroup('stopped');
    signal.addEventListener('abort', stop);
    this.end = this.#follow().finally(() => {
      this.#timer?.cancel();
      signal.removeEventListener('abort', stop);
    });
    for (const pipe of [child.stdout, child.stderr]) {
      pipe?.on('data', (chunk: Buffer) => this.#keep(chunk));
      pipe?.on('error', () => undefined);
    }
    // A command need not read it.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(command.input);
    if (signal.aborted) stop();
  }

  #follow(): Promise<CommandEnd> {
    const child = this.#child;
    return new Promise((resolve) => {
      child.on('error', (error) => {
        // 'error' comes without a process only when there never was one.
        if (child.pid === undefined) resolve({ kind: 'unrunnable', reason: reasonOf(error) });
      });
      let end: (() => CommandEnd) | undefined;
      const finish = () => {
        if (end === undefined) return;
        for (const pipe of [child.stdout, child.stderr]) pipe?.destroy();
        resolve(end());
      };
      this.#finish = finish;
      child.on('exit', (code, signal) => {
        end = () => this.#endOf(code, signal);
        // What it has started has as long to end in order as itself: a shell dies at once, what it runs cleans up.
        if (this.#isEnding) return;
        this.#timer?.cancel();
        this.#timer = this.#clock.schedule(pipesAfterMs, finish);
      });
      child.on('close', () => {
        if (!this.#isEnding) finish();
      });
    });
  }

  #endOf(code: number | null, signal: string | null): CommandEnd {
    const output = Buffer.concat(this.#chunks).subarray(-maxOutputBytes).toString('utf8');
    if (this.#endedBy !== undefined) return { kind: this.#endedBy, output };
    if (code === null) return { kind: 'killed', signal: signal ?? '', output };
    return { kind: 'exited', code, output };
  }

  #endGroup(by: 'late' | 'stopped'): void {
    const hasEnded = this.#child.exitCode !== null || this.#child.signalCode !== null;
    if (hasEnded || this.#endedBy !== undefined) return;
    this.#endedBy = by;
    this.#signalGroup('SIGTERM');
    this.#timer?.cancel();
    this.#timer = this.#clock.schedule(killAfterMs, () => {
      this.#isKilled = true;
      this.#signalGroup('SIGKILL');
      this.#timer = this.#clock.schedule(pipesAfterMs, () => this.#finish());
    });
  }

  /** Whether somebody of the group still has time to end in order. */
  get #isEnding(): boolean {
    return this.#endedBy !== undefined && !this.#isKilled && this.#signalGroup(0);
  }

  /** Whether anybody of the group was there to get it; 0 only asks. */
  #signalGroup(signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
    const { pid } = this.#child;
    if (pid === undefined) return false;
    try {
      // Below 0: the group that `detached` has made, whose number is that of its first process.
      return process.kill(-pid, signal);
    } catch {
      return false;
    }
  }

  /** Keeps the end of it: that is where a command says why it failed. */
  #keep(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= maxOutputBytes)
      this.#bytes -= this.#chunks.shift()?.length ?? 0;
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}
