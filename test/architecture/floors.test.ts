// Reads the import lines of src/ and keeps the floors true (docs/architecture.md).
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../src');

const floorOf: Record<string, number> = {
  core: 0,
  policy: 0,
  protocol: 0,
  simulate: 0,
  'simulate/peers': 1,
  'balancer/state': 1,
  'balancer/control': 1,
  'balancer/takeover': 1,
  'balancer/workers': 1,
  'balancer/proxy': 2,
  'balancer/haproxy': 2,
  'balancer/intake': 2,
  'balancer/admin': 2,
  'balancer/health': 2,
  'balancer/metrics': 2,
  'balancer/scale-outputs': 2,
  agent: 2,
  cluster: 2,
  platform: 2,
  balancer: 3,
  'agent/agent.ts': 3,
  'worker.ts': 3,
  cli: 3,
  demo: 3,
};

const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replaceAll('\\', '/'));

function roomOf(file: string): string {
  if (floorOf[file] !== undefined) return file;
  const parts = posix.dirname(file).split('/');
  const two = parts.slice(0, 2).join('/');
  if (floorOf[two] !== undefined) return two;
  return parts[0] ?? '';
}

/** The room at the top of a path: `agent/agent.ts` is an entry of its own but lives in `agent`. */
function house(room: string): string {
  return room === 'agent/agent.ts' ? 'agent' : room;
}

function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [
    ...text.matchAll(
      /^(?:import|export)\s[^'";]*?from\s+'([^']+)'|^import\s+'([^']+)'|import\('([^']+)'\)/gm,
    ),
  ]
    .map((match) => match[1] ?? match[2] ?? match[3] ?? '')
    .filter((name) => name !== '');
}

const edges = files.flatMap((file) =>
  importsOf(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => ({
      file,
      to: relative('.', posix.join(posix.dirname(file), name)).replaceAll('\\', '/'),
    })),
);

describe('floors', () => {
  it('knows the room of every file', () => {
    expect(files.filter((file) => floorOf[roomOf(file)] === undefined)).toEqual([]);
  });

  it('lets imports point down or stay on their floor', () => {
    const up = edges.filter(({ file, to }) => (floorOf[roomOf(file)] ?? 9) < (floorOf[roomOf(to)] ?? 9));
    expect(up).toEqual([]);
  });

  it('keeps edge rooms apart, but for platform', () => {
    const across = edges.filter(({ file, to }) => {
      const from = roomOf(file);
      const into = roomOf(to);
      if (floorOf[from] !== 2 || floorOf[into] !== 2) return false;
      return house(from) !== house(into) && into !== 'platform';
    });
    expect(across).toEqual([]);
  });

  it('keeps node modules, timers and globals out of floors 0 and 1', () => {
    const low = files.filter((file) => (floorOf[roomOf(file)] ?? 9) <= 1);
    const offenders = low.flatMap((file) => {
      const builtins = importsOf(file).filter((name) => name.startsWith('node:'));
      const allowed = file.startsWith('protocol/') ? ['node:buffer'] : [];
      const code = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
      const globals = code.match(
        /\b(process\.|Date\.|new Date\b|setTimeout|setInterval|setImmediate|Math\.random|performance\.)/g,
      );
      return [...builtins.filter((name) => !allowed.includes(name)), ...(globals ?? [])].map(
        (what) => `${file}: ${what}`,
      );
    });
    expect(offenders).toEqual([]);
  });
});
