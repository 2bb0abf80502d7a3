// Finds and loads herald.yaml with its policies and secrets: all of it is sound, or one error has every problem.
import { readdir } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { HeraldError } from '../core/error.ts';
import { checkPolicyNames } from '../policy/config-checks.ts';
import { complainAboutSecret } from '../policy/access-schema.ts';
import { compileConfig, readConfig, type ConfigReading } from '../policy/compile-config.ts';
import { defaultPolicy, readPolicy, type PolicyReading } from '../policy/compile-policy.ts';
import type { Config } from '../policy/config.ts';
import type { Environment } from '../policy/environment.ts';
import type { Policy } from '../policy/policy.ts';
import { invalidConfig, type Problem } from '../policy/problem.ts';
import { problemAt } from '../policy/schema-problems.ts';
import { outputPaths, readOutputFiles } from './output-files.ts';
import { faultOfLogFile } from './log-file.ts';
import { readLinkFiles } from './link-files.ts';
import { complaintOf, readText } from './read-text.ts';
import { readTlsFiles, tlsPaths } from './tls-files.ts';

const defaultPaths = ['./herald.yaml', '/etc/herald/herald.yaml'];

const howToMakeOne = `Make one:
  apiVersion: herald/v1
  kind: Config
  listeners: [ { bind: "127.0.0.1:8080" } ]
  pools: { app: { nodes: [ { address: "127.0.0.1:3000" } ] } }`;

/** Everything that a balancer starts from. */
export interface LoadedConfig {
  readonly config: Config;
  /** By name. `default` is always there. */
  readonly policies: ReadonlyMap<string, Policy>;
  /** One line each; they stop nothing. */
  readonly warnings: readonly string[];
  /** What a reload depends on; absolute paths. */
  readonly watched: { readonly paths: readonly string[]; readonly directories: readonly string[] };
}

/**
 * The config to use: `flag`, `$HERALD_CONFIG`, ./herald.yaml, /etc/herald/herald.yaml; the first that is named or
 * exists. Throws HERALD_CONFIG_UNREADABLE when it does not exist, or when there is none.
 */
export function findConfigPath(
  flag: string | undefined,
  environment: Environment,
  exists: (path: string) => boolean,
): string {
  const fromEnvironment = environment['HERALD_CONFIG'];
  const named: [string, string | undefined][] = [
    ['--config', flag],
    ['HERALD_CONFIG', fromEnvironment],
  ];
  for (const [origin, path] of named) {
    if (path === undefined || path === '') continue;
    if (exists(path)) return path;
    throw new HeraldError('HERALD_CONFIG_UNREADABLE', `${path}: does not exist (named by ${origin})`, {
      path,
    });
  }
  const found = defaultPaths.find(exists);
  if (found !== undefined) return found;
  const message = `no configuration: neither ${defaultPaths.join(' nor ')} exists, and neither --config nor HERALD_CONFIG names another. ${howToMakeOne}`;
  throw new HeraldError('HERALD_CONFIG_UNREADABLE', message, { paths: defaultPaths });
}

/** Loads a config. Throws HERALD_CONFIG_UNREADABLE when `path` cannot be read, HERALD_CONFIG_INVALID with all problems. */
export async function loadConfig(path: string, environment: Environment): Promise<LoadedConfig> {
  const file = await readText(path);
  if (!('text' in file)) {
    const hint = file.hint === '' ? '' : ` (${file.hint})`;
    throw new HeraldError('HERALD_CONFIG_UNREADABLE', `${path}: ${file.message}${hint}`, { path });
  }
  const reading = readConfig(path, file.text, environment);
  const resolvePath = (written: string): string => resolve(dirname(path), written);
  const written = reading.sections.policies ?? './policies';
  const policies = await readPolicies(shownPath(path, written), resolvePath(written), reading);
  const secrets = await readSecrets(reading, resolvePath);
  const tls = await readTlsFiles(reading, resolvePath);
  const outputs = await readOutputFiles(reading, resolvePath, environment);
  const link = await readLinkFiles(reading, resolvePath);
  const problems = [
    ...reading.problems,
    ...policies.problems,
    ...policies.readings.flatMap((policy) => policy.problems),
    ...secrets.problems,
    ...tls.problems,
    ...outputs.problems,
    ...link.problems,
    ...checkPoolPolicies(reading, policies),
    ...checkSocketPath(reading, resolvePath),
    ...(await checkAccessLog(reading, resolvePath)),
  ];
  if (reading.document === undefined || problems.length > 0) throw invalidConfig(problems);
  return {
    config: compileConfig(reading.document, {
      resolvePath,
      secrets: new Map([...secrets.values, ...outputs.secrets]),
      pems: new Map([...tls.pems, ...outputs.pems]),
      stateTexts: link.texts,
    }),
    policies: policyMap(policies.readings),
    warnings: [...reading.warnings, ...tls.warnings],
    watched: {
      paths: [
        resolve(path),
        ...reading.tokenFiles.map(({ tokenFile }) => resolvePath(tokenFile)),
        ...[...tlsPaths(reading), ...outputPaths(reading)].map(resolvePath),
        ...reading.stateFiles.map(({ file }) => resolvePath(file)),
      ],
      directories: [resolvePath(written)],
    },
  };
}

function checkPoolPolicies(
  { source, sections }: ConfigReading,
  { readings, problems }: PoliciesRead,
): Problem[] {
  if (source === undefined) return [];
  const known = ['default', ...readings.map(({ name }) => name).filter((name) => name !== '')];
  const isComplete = problems.length === 0 && readings.every(({ name }) => name !== '');
  return checkPolicyNames(source, sections, { known, isComplete });
}

/** A path of the file as messages show it: relative paths stay relative to where the config was named. */
function shownPath(configPath: string, written: string): string {
  return isAbsolute(written) ? written : join(dirname(configPath), written);
}

function policyMap(readings: readonly PolicyReading[]): ReadonlyMap<string, Policy> {
  const policies = new Map([['default', defaultPolicy('default')]]);
  for (const { policy } of readings) if (policy !== undefined) policies.set(policy.name, policy);
  return policies;
}

interface PoliciesRead {
  readonly readings: readonly PolicyReading[];
  readonly problems: readonly Problem[];
}

/** Reads every *.yaml and *.yml of a directory, in order of name. A default directory that is absent has none. */
async function readPolicies(shown: string, directory: string, reading: ConfigReading): Promise<PoliciesRead> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    const complaint = complaintOf(error);
    if (reading.source === undefined) return { readings: [], problems: [] };
    if (!reading.namesPolicies && complaint.message === 'does not exist')
      return { readings: [], problems: [] };
    const problem = problemAt(reading.source, ['policies'], `${shown}: ${complaint.message}`, complaint.hint);
    return { readings: [], problems: [problem] };
  }
  // Editors leave .#name.yaml and Kubernetes leaves ..data beside the files: hidden ones are not policies.
  const files = names.filter((name) => /^[^.].*\.ya?ml$/.test(name)).toSorted();
  const readings = await Promise.all(
    files.map((name) => readPolicyFile(join(shown, name), join(directory, name))),
  );
  return { readings, problems: findSameNames(readings) };
}

/** Reads one policy file; `shown` is how messages call it. Never rejects. */
export async function readPolicyFile(shown: string, path: string): Promise<PolicyReading> {
  const file = await readText(path);
  if ('text' in file) return readPolicy(shown, file.text);
  const problem = { file: shown, line: 0, column: 0, path: '', ...file };
  return { file: shown, name: '', nameAt: undefined, policy: undefined, problems: [problem] };
}

/** Policies of one directory must have different names. */
export function findSameNames(readings: readonly PolicyReading[]): Problem[] {
  const first = new Map<string, string>();
  return readings.flatMap(({ file, name, nameAt }) => {
    const earlier = first.get(name);
    if (nameAt === undefined) return [];
    first.set(name, earlier ?? file);
    if (earlier === undefined) return [];
    const message = `${earlier} has a policy of this name, too`;
    return [{ ...nameAt, path: 'name', message, hint: 'give each a name of its own' }];
  });
}

async function readSecrets(
  { source, tokenFiles }: ConfigReading,
  resolvePath: (path: string) => string,
): Promise<{ values: Map<string, string>; problems: Problem[] }> {
  const values = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { path, tokenFile } of tokenFiles) {
    if (source === undefined) break;
    const file = await readText(resolvePath(tokenFile));
    const secret = 'text' in file ? file.text.replace(/\r?\n$/, '') : '';
    const message = 'text' in file ? complainAboutSecret(secret) : file.message;
    values.set(tokenFile, secret);
    if (message === undefined) continue;
    problems.push(
      problemAt(source, path, `${tokenFile}: ${message}`, 'a file with the secret and nothing else'),
    );
  }
  return { values, problems };
}

async function checkAccessLog(
  { source, sections }: ConfigReading,
  resolvePath: (path: string) => string,
): Promise<Problem[]> {
  const to = sections.accessLog?.to ?? 'stdout';
  if (source === undefined || to === 'stdout') return [];
  const fault = await faultOfLogFile(resolvePath(to));
  return fault === undefined
    ? []
    : [problemAt(source, ['accessLog', 'to'], `${to}: ${fault.message}`, fault.hint)];
}

// sockaddr_un has 108 bytes on Linux, 104 on macOS, the closing zero included; longer paths are cut or refused.
const maxSocketPathBytes = 103;

function checkSocketPath(
  { source, sections }: ConfigReading,
  resolvePath: (path: string) => string,
): Problem[] {
  if (source === undefined || sections.admin === undefined) return [];
  const length = Buffer.byteLength(resolvePath(sections.admin.socket));
  if (length <= maxSocketPathBytes) return [];
  const message = `the path of a socket has at most ${maxSocketPathBytes} bytes, this one ${length}`;
  return [
    { ...problemAt(source, ['admin', 'socket'], message, 'choose a shorter one, such as /run/herald.sock') },
  ];
}
