// All commands of `herald`.
import type { Command } from 'commander';
import { createBaseProgram } from './base-program.ts';
import { registerAgent } from './commands/agent.ts';
import { registerCompletion } from './commands/completion.ts';
import { registerDemo } from './commands/demo.ts';
import { registerDrain } from './commands/drain.ts';
import { registerEvents } from './commands/events.ts';
import { registerExplain } from './commands/explain.ts';
import { registerFreeze } from './commands/freeze.ts';
import { registerOperations } from './commands/operations.ts';
import { registerPolicyCheck } from './commands/policy-check.ts';
import { registerPolicyShow } from './commands/policy-show.ts';
import { registerReady } from './commands/ready.ts';
import { registerRebalance } from './commands/rebalance.ts';
import { registerScale } from './commands/scale.ts';
import { registerServe } from './commands/serve.ts';
import { registerStatus } from './commands/status.ts';
import { registerTop } from './commands/top.ts';
import type { ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';

/** The program; `finish` hears the exit code of commands that end otherwise than by 0 or by an error. */
export function createProgram(io: CliIo, finish: (code: ExitCode) => void): Command {
  const program = createBaseProgram(io);
  registerServe(program, io, finish);
  registerAgent(program, io, finish);
  registerStatus(program, io);
  registerTop(program, io);
  registerExplain(program, io);
  registerDrain(program, io, finish);
  registerReady(program, io);
  registerRebalance(program, io, finish);
  registerScale(program, io, finish);
  registerOperations(program, io, finish);
  registerFreeze(program, io, finish);
  registerEvents(program, io);
  registerPolicyCheck(program, finish);
  registerPolicyShow(program, io, finish);
  registerDemo(program, io, finish);
  registerCompletion(program, io);
  return program;
}
