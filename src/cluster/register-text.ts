// Registers as scripts/*.lua keep and answer them. What stands is decided in mirror.ts.
import type { Remembered } from './mirror.ts';

/** A register as scripts/*.lua keep it. */
export function textOf({ version, deletedAtMs, value }: Remembered): string {
  return `${version}:${deletedAtMs}:${value}`;
}

/** A register as a script answers it; undefined for what is none. */
export function parseRegister(key: string, stored: unknown): Remembered | undefined {
  const match = /^(\d+):(\d+):([^]*)$/.exec(String(stored));
  if (match === null) return undefined;
  return { key, version: Number(match[1]), deletedAtMs: Number(match[2]), value: match[3] ?? '' };
}

/** A change notice without its revision; undefined for what is none. */
export function parseChange(text: string): { from: string; scope: string; register: Remembered } | undefined {
  try {
    const [from, scope, key, stored] = listOf(JSON.parse(text)).map(String);
    const register = parseRegister(key ?? '', stored);
    if (from === undefined || scope === undefined || register === undefined) return undefined;
    return { from, scope, register };
  } catch {
    return undefined;
  }
}

/** A reply that is a list; empty for any other. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Name, value, name, value, …; or what a client has made of it. */
export function pairsOf(reply: unknown): ReadonlyMap<string, string> {
  if (!Array.isArray(reply)) {
    const entries = typeof reply === 'object' && reply !== null ? Object.entries<unknown>({ ...reply }) : [];
    return new Map(entries.map(([name, value]) => [name, String(value)]));
  }
  const pairs = new Map<string, string>();
  for (let at = 0; at + 1 < reply.length; at += 2) pairs.set(String(reply[at]), String(reply[at + 1]));
  return pairs;
}
