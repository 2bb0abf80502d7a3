#!/usr/bin/env node
// The `herald` command: one file a verb under commands/, put together here.
import { holdProcess } from '../platform/hold-process.ts';
import { createSystemClock } from '../platform/system-clock.ts';
import { createProgram } from './program.ts';
import { failureOf } from './fail.ts';
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

const release = holdProcess();
try {
  await createProgram(io, (code) => (process.exitCode = code)).parseAsync();
} catch (error) {
  const { code, message } = failureOf(error, interrupted.signal);
  if (message !== '') process.stderr.write(`herald: ${message}\n`);
  process.exitCode = code;
} finally {
  release();
}
