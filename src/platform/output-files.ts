// What webhooks and drivers need beside herald.yaml: secrets, authorities, programs. All of it is tried before it is
// taken over, so that a wrong one changes nothing.
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { ConfigReading } from '../policy/compile-config.ts';
import type { Environment } from '../policy/environment.ts';
import { problemAt } from '../policy/schema-problems.ts';
import type { Problem } from '../policy/problem.ts';
import type { Complaint } from '../policy/quantity.ts';
import { complainAboutWebhookSecret } from '../policy/webhook-schema.ts';
import { complaintOf, readText } from './read-text.ts';

/** What the files hold, by their names as written. */
export interface OutputsRead {
  readonly secrets: ReadonlyMap<string, string>;
  readonly pems: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/** Every file that webhooks read, as written. */
export function outputPaths({ outputFiles }: ConfigReading): string[] {
  return [...outputFiles.secretFiles, ...outputFiles.caFiles].map(({ file }) => file);
}

/** Reads every file and looks for every program. Problems show no part of a secret. */
export async function readOutputFiles(
  { source, outputFiles }: ConfigReading,
  resolvePath: (path: string) => string,
  environment: Environment,
): Promise<OutputsRead> {
  const secrets = new Map<string, string>();
  const pems = new Map<string, string>();
  const problems: Problem[] = [];
  if (source === undefined) return { secrets, pems, problems };
  for (const { path, file } of outputFiles.secretFiles) {
    const read = await readText(resolvePath(file));
    const secret = 'text' in read ? read.text.replace(/\r?\n$/, '') : '';
    const message = 'text' in read ? complainAboutWebhookSecret(secret) : read.message;
    secrets.set(file, secret);
    if (message === undefined) continue;
    const hint = 'a file with the secret and nothing else, such as the output of openssl rand -hex 32';
    problems.push(problemAt(source, path, `${file}: ${message}`, hint));
  }
  for (const { path, file } of outputFiles.caFiles) {
    const read = await readText(resolvePath(file));
    const fault = 'text' in read ? faultOfAuthority(read.text) : read;
    if ('text' in read) pems.set(file, read.text);
    if (fault !== undefined) problems.push(problemAt(source, path, `${file}: ${fault.message}`, fault.hint));
  }
  for (const { path, file } of outputFiles.programs) {
    const fault = await faultOfProgram(file, resolvePath, environment);
    if (fault !== undefined) problems.push(problemAt(source, path, `${file}: ${fault.message}`, fault.hint));
  }
  return { secrets, pems, problems };
}

/** Node takes any text as an authority and then trusts nobody: a certificate must be in it. */
function faultOfAuthority(text: string): Complaint | undefined {
  try {
    createSecureContext({ cert: text });
    return undefined;
  } catch {
    return { message: 'is no certificate', hint: 'a PEM file, as openssl writes it' };
  }
}

async function faultOfProgram(
  program: string,
  resolvePath: (path: string) => string,
  environment: Environment,
): Promise<Complaint | undefined> {
  if (program.includes('/')) return faultOfFile(resolvePath(program));
  // As execvp searches: an empty part would be the working directory, which is nobody's choice.
  const directories = (environment['PATH'] ?? '').split(':').filter((part) => part !== '');
  for (const directory of directories)
    if ((await faultOfFile(join(directory, program))) === undefined) return undefined;
  return {
    message: `no program of this name is in PATH (${directories.join(':')})`,
    hint: 'write its whole path',
  };
}

async function faultOfFile(path: string): Promise<Complaint | undefined> {
  try {
    const stats = await stat(path);
    if (!stats.isFile()) return { message: 'is not a file', hint: 'name a program' };
    await access(path, constants.X_OK);
    return undefined;
  } catch (error) {
    const { message, hint } = complaintOf(error);
    if (message !== 'may not be read') return { message, hint };
    return { message: 'may not be executed', hint: 'chmod +x, or check the directories above it' };
  }
}
