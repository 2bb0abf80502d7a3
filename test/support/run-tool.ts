// Runs a program that comes with the system, such as openssl or curl, against a listener of a test.
import { spawn } from 'node:child_process';
import { within } from './eventually.ts';

/** What a program said. */
export interface ToolRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs it to its end, or kills it after twenty seconds; `input` is its stdin. */
export async function runTool(program: string, args: readonly string[], input = ''): Promise<ToolRun> {
  const child = spawn(program, args, { stdio: 'pipe' });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString('latin1')));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString('latin1')));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<ToolRun>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  try {
    return await within(ended, `${program} ${args.join(' ')}`, 20_000);
  } finally {
    child.kill('SIGKILL');
  }
}
