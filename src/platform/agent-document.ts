// Loads agent.yaml with its secrets: all of it is sound, or one error has every problem.
import { dirname, resolve } from 'node:path';
import { HeraldError } from '../core/error.ts';
import { complainAboutAuthorization, readAgent, type AgentReading } from '../policy/agent-reading.ts';
import type { AgentDocument } from '../policy/agent-schema.ts';
import { complainAboutSecret } from '../policy/access-schema.ts';
import type { Environment } from '../policy/environment.ts';
import { invalidConfig, type Problem } from '../policy/problem.ts';
import { problemAt } from '../policy/schema-problems.ts';
import { readText } from './read-text.ts';

/** A sound agent.yaml, as plain data: it can go from process to process. */
export interface LoadedAgent {
  readonly document: AgentDocument;
  /** Secrets by their file as written. */
  readonly secrets: ReadonlyMap<string, string>;
  /** One line each; they stop nothing. */
  readonly warnings: readonly string[];
}

/** Loads a file. Throws HERALD_CONFIG_UNREADABLE when `path` cannot be read, HERALD_CONFIG_INVALID with all problems. */
export async function loadAgentDocument(path: string, environment: Environment): Promise<LoadedAgent> {
  const file = await readText(path);
  if (!('text' in file)) {
    const hint = file.hint === '' ? '' : ` (${file.hint})`;
    throw new HeraldError('HERALD_CONFIG_UNREADABLE', `${path}: ${file.message}${hint}`, { path });
  }
  const reading = readAgent(path, file.text, environment);
  const secrets = await readSecrets(reading, (written) => resolve(dirname(path), written));
  const problems = [...reading.problems, ...secrets.problems];
  if (reading.document === undefined || problems.length > 0) throw invalidConfig(problems);
  return { document: reading.document, secrets: secrets.values, warnings: reading.warnings };
}

async function readSecrets(
  { source, secretFiles }: AgentReading,
  resolvePath: (path: string) => string,
): Promise<{ values: Map<string, string>; problems: Problem[] }> {
  const values = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { path, file, use } of secretFiles) {
    if (source === undefined) break;
    const read = await readText(resolvePath(file));
    const secret = 'text' in read ? read.text.replace(/\r?\n$/, '') : '';
    const complain = use === 'token' ? complainAboutSecret : complainAboutAuthorization;
    const message = 'text' in read ? complain(secret) : read.message;
    values.set(file, secret);
    if (message === undefined) continue;
    const hint = use === 'token' ? 'a file with the secret and nothing else' : 'such as Bearer and a token';
    problems.push(problemAt(source, path, `${file}: ${message}`, hint));
  }
  return { values, problems };
}
