// What an application loads together with the agent.
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';

const src = join(import.meta.dirname, '../../../src');

/** Everything that a file imports at run time, directly or not; types vanish when compiled. */
function imports(file: string, seen = new Set<string>()): Set<string> {
  for (const match of readFileSync(file, 'utf8').matchAll(
    /^(?:import|export)\s+(?!type\b)[^'";]*?from\s+'([^']+)'/gm,
  )) {
    const name = match[1] ?? '';
    const target = name.startsWith('.') ? join(dirname(file), name) : name;
    if (seen.has(target)) continue;
    seen.add(target);
    if (name.startsWith('.')) imports(target, seen);
  }
  return seen;
}

const all = [...imports(join(src, 'agent/agent.ts'))];

it('loads undici and no other package', () => {
  expect(all.filter((name) => !name.startsWith('/') && !name.startsWith('node:'))).toEqual(['undici']);
});

it('loads nothing but the logger for a sidecar, since schemas and undici take more memory than all it does', () => {
  const sidecar = [...imports(join(src, 'cli/run-agent.ts'))];
  expect(sidecar.filter((name) => !name.startsWith('/') && !name.startsWith('node:'))).toEqual(['pino']);
});

it('loads neither undici nor, by import, the module of Node that brings its own, for the sources of a sidecar', () => {
  const files = ['cli/run-agent.ts', 'agent/sources/sources.ts'].map((file) => join(src, file));
  const names = files.flatMap((file) => [...imports(file)]);
  expect(names.filter((name) => ['undici', 'node:http', 'node:https'].includes(name))).toEqual([]);
  // They do ask by HTTP: this is how.
  expect(names).toContain(join(src, 'agent/http-line.ts'));
});

it('loads no room of the balancer', () => {
  const rooms = new Set(
    all.filter((name) => name.startsWith(src)).map((name) => relative(src, name).split('/')[0]),
  );
  expect([...rooms].toSorted()).toEqual(['agent', 'core', 'platform', 'protocol']);
});
