#!/usr/bin/env node
// The `herald` command: one file a verb under commands/, put together here.
import type { Command } from 'commander';
import { holdProcess } from '../platform/hold-process.ts';
import { createSystemClock } from '../platform/system-clock.ts';
import { failureOf } from './fail.ts';
import type { ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';

const interrupted = new AbortController();
// Once: a second signal meets the default and ends the process.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));
// `herald status | head` closes our output: that is an end, not an error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

const io: CliIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: createSystemClock(),
  signal: interrupted.signal,
};

/** A sidecar stands beside every server: it loads its own command only, and half the memory of all. */
async function loadProgram(finish: (code: ExitCode) => void): Promise<Command> {
  if (process.argv[2] !== 'agent') return (await import('./program.ts')).createProgram(io, finish);
  const { createBaseProgram } = await import('./base-program.ts');
  const { registerAgent } = await import('./commands/agent.ts');
  const program = createBaseProgram(io);
  registerAgent(program, io, finish);
  return program;
}

const release = holdProcess();
try {
  const program = await loadProgram((code) => (process.exitCode = code));
  await program.parseAsync();
} catch (error) {
  const { code, message } = failureOf(error, interrupted.signal);
  if (message !== '') process.stderr.write(`herald: ${message}\n`);
  process.exitCode = code;
} finally {
  release();
}
