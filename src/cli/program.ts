// All commands of `herald`.
import type { Command } from 'commander';
import { createBaseProgram } from './base-program.ts';
import { registerAgent } from './commands/agent.ts';
import { registerDemo } from './commands/demo.ts';
import { registerExplain } from './commands/explain.ts';
import { registerPolicyCheck } from './commands/policy-check.ts';
import { registerServe } from './commands/serve.ts';
import { registerStatus } from './commands/status.ts';
import type { ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';

/** The program; `finish` hears the exit code of commands that end otherwise than by 0 or by an error. */
export function createProgram(io: CliIo, finish: (code: ExitCode) => void): Command {
  const program = createBaseProgram(io);
  registerServe(program, io, finish);
  registerAgent(program, io, finish);
  registerStatus(program, io);
  registerExplain(program, io);
  registerPolicyCheck(program, finish);
  registerDemo(program, io);
  return program;
}
