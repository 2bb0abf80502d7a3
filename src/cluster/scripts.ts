// The Lua scripts of scripts/: what each takes and returns is said at its top.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

const names = [
  'beat',
  'peers',
  'farewell',
  'read',
  'forget',
  'write',
  'restore',
  'lease',
  'release',
] as const;

/** One of the scripts. */
export type ScriptName = (typeof names)[number];

/** A script, and the name that Redis knows it by once it has seen it. */
export interface Script {
  readonly text: string;
  /** In hexadecimal digits. */
  readonly sha1: string;
}

/** All scripts. */
export type Scripts = Readonly<Record<ScriptName, Script>>;

/** Reads every script; rejects when the package is not whole. */
export async function loadScripts(): Promise<Scripts> {
  const entries = await Promise.all(names.map(async (name) => [name, await load(name)] as const));
  // One entry for each of `names`.
  return Object.fromEntries(entries) as Scripts;
}

async function load(name: ScriptName): Promise<Script> {
  const text = await readFile(join(import.meta.dirname, 'scripts', `${name}.lua`), 'utf8');
  return { text, sha1: createHash('sha1').update(text).digest('hex') };
}
