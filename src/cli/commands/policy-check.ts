// `herald policy check [FILE...]`: tells every problem of policies, configs and agents without touching a running balancer.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { HeraldError } from '../../core/error.ts';
import { loadAgentDocument } from '../../platform/agent-document.ts';
import { findConfigPath, findSameNames, loadConfig, readPolicyFile } from '../../platform/config.ts';
import { readText } from '../../platform/read-text.ts';
import type { PolicyReading } from '../../policy/compile-policy.ts';
import type { Environment } from '../../policy/environment.ts';
import { formatProblem, sortProblems, type Problem } from '../../policy/problem.ts';
import { kindOf, type Kind } from '../../policy/read-document.ts';
import { parseYaml } from '../../policy/yaml-document.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';

/** Where a command reads and writes. */
export interface PolicyCheckIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  readonly environment: Environment;
  readonly output: 'text' | 'json';
  /** `--config`; undefined when it was not given. */
  readonly configFlag: string | undefined;
}

interface Outcome {
  readonly policies: number;
  readonly pools: number;
  /** Files of kind Agent; left out: none. */
  readonly agents?: number;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/**
 * Checks files, each as the kind that it says it is; a config brings its policies along. No paths: the config
 * that `serve` would use. Answers 0, or 1 when there are problems.
 */
export async function checkPolicies(paths: readonly string[], io: PolicyCheckIo): Promise<ExitCode> {
  const outcome = paths.length === 0 ? await checkDefault(io) : await checkFiles(paths, io.environment);
  const problems = sortProblems(outcome.problems);
  if (io.output === 'json') {
    const { policies, pools, warnings } = outcome;
    io.stdout.write(
      `${JSON.stringify({ ok: problems.length === 0, policies, pools, problems, warnings })}\n`,
    );
    return problems.length === 0 ? exitCodes.done : exitCodes.failed;
  }
  for (const warning of outcome.warnings) io.stderr.write(`warning: ${warning}\n`);
  for (const problem of problems) io.stderr.write(`${formatProblem(problem)}\n`);
  if (problems.length > 0) return exitCodes.failed;
  const { policies, pools, agents = 0 } = outcome;
  const counts = [counted(policies, 'policy', 'policies'), counted(pools, 'pool', 'pools')];
  if (agents > 0) counts.push(counted(agents, 'agent', 'agents'));
  io.stdout.write(`ok: ${counts.join(', ')}\n`);
  return exitCodes.done;
}

function counted(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

async function checkDefault(io: PolicyCheckIo): Promise<Outcome> {
  try {
    const path = findConfigPath(io.configFlag, io.environment, existsSync);
    return await checkConfigFile(path, io.environment);
  } catch (error) {
    return outcomeOf(error, './herald.yaml');
  }
}

async function checkConfigFile(path: string, environment: Environment): Promise<Outcome> {
  try {
    const { config, policies, warnings } = await loadConfig(path, environment);
    return { policies: policies.size, pools: config.pools.length, problems: [], warnings };
  } catch (error) {
    return outcomeOf(error, path);
  }
}

/** The problems that an error carries; what is no HeraldError goes on up. */
function outcomeOf(error: unknown, file: string): Outcome {
  if (!(error instanceof HeraldError)) throw error;
  const listed: unknown = error.details['problems'];
  // Proof of the cast: invalidConfig is the only source of `details.problems`.
  const problems = Array.isArray(listed)
    ? (listed as Problem[])
    : [whole(named(error) ?? file, error.message)];
  return { policies: 0, pools: 0, problems, warnings: [] };
}

/** The file that an error is about; undefined when it names none. */
function named(error: HeraldError): string | undefined {
  const path: unknown = error.details['path'];
  return typeof path === 'string' ? path : undefined;
}

function whole(file: string, message: string): Problem {
  const prefix = `${file}: `;
  const told = message.startsWith(prefix) ? message.slice(prefix.length) : message;
  return { file, line: 0, column: 0, path: '', message: told, hint: '' };
}

async function checkFiles(paths: readonly string[], environment: Environment): Promise<Outcome> {
  const readings: PolicyReading[] = [];
  const configs: Outcome[] = [];
  for (const path of paths) {
    const kind = await kindOfFile(path);
    if (kind === 'Config') configs.push(await checkConfigFile(path, environment));
    else if (kind === 'Agent') configs.push(await checkAgentFile(path, environment));
    else readings.push(await readPolicyFile(path, path));
  }
  return {
    policies: sum(configs.map(({ policies }) => policies)) + readings.length,
    pools: sum(configs.map(({ pools }) => pools)),
    agents: sum(configs.map(({ agents = 0 }) => agents)),
    problems: [
      ...configs.flatMap(({ problems }) => problems),
      ...readings.flatMap(({ problems }) => problems),
      ...sameDirectory(readings).flatMap(findSameNames),
    ],
    warnings: configs.flatMap(({ warnings }) => warnings),
  };
}

/** Readings by directory: names must differ within one, while two directories may hold versions of one policy. */
function sameDirectory(readings: readonly PolicyReading[]): PolicyReading[][] {
  const directories = new Set(readings.map(({ file }) => dirname(file)));
  return [...directories].map((directory) => readings.filter(({ file }) => dirname(file) === directory));
}

async function kindOfFile(path: string): Promise<Kind | undefined> {
  const file = await readText(path);
  return 'text' in file ? kindOf(parseYaml(path, file.text).source?.data) : undefined;
}

async function checkAgentFile(path: string, environment: Environment): Promise<Outcome> {
  try {
    const { warnings } = await loadAgentDocument(path, environment);
    return { policies: 0, pools: 0, agents: 1, problems: [], warnings };
  } catch (error) {
    return { ...outcomeOf(error, path), agents: 1 };
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Adds `policy check` to the program. `finish` hears the exit code. */
export function registerPolicyCheck(program: Command, finish: (code: ExitCode) => void): void {
  const group =
    program.commands.find((command) => command.name() === 'policy') ??
    program.command('policy').description('check policies and configurations');
  group
    .command('check')
    .description(
      'tell every problem of policy, config and agent files; without files, of the config that serve would use',
    )
    .argument('[FILE...]', 'policy, config or agent files')
    .option('-c, --config <path>', 'config file, where no FILE is given')
    .addOption(
      new Option('-o, --output <format>', 'form of the result').choices(['text', 'json']).default('text'),
    )
    .action(async (files: string[], _options: unknown, command: Command) => {
      const { config, output } = command.optsWithGlobals<{ config?: string; output: string }>();
      finish(
        await checkPolicies(files, {
          stdout: process.stdout,
          stderr: process.stderr,
          environment: process.env,
          output: output === 'json' ? 'json' : 'text',
          configFlag: config,
        }),
      );
    });
}
