#!/usr/bin/env node
// The `herald` command: one file a verb under commands/, put together here.
import { Command } from 'commander';
import { createSystemClock } from '../platform/system-clock.ts';
import { registerDemo } from './commands/demo.ts';
import type { CliIo } from './io.ts';

const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
process.once('SIGTERM', () => interrupted.abort(new Error('interrupted')));

const io: CliIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  clock: createSystemClock(),
  signal: interrupted.signal,
};

const program = new Command('herald').description('feedback-driven load balancer for long-lived connections');
registerDemo(program, io);
await program.parseAsync();
