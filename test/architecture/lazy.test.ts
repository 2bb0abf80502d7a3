// Follows the static imports of a balancer: what only some configurations need must not be loaded by all.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../src');

/** Every file that loading `entry` loads, and the packages that they name. Type imports and import() load nothing. */
function loadedBy(entry: string): {
  readonly files: ReadonlySet<string>;
  readonly packages: ReadonlySet<string>;
} {
  const files = new Set<string>();
  const packages = new Set<string>();
  const waiting = [join(root, entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (files.has(file)) continue;
    files.add(file);
    const code = readFileSync(file, 'utf8');
    for (const [, clause = '', name = ''] of code.matchAll(
      /^(?:import|export)\s([^'";]*?)(?:from\s+)?'([^']+)'/gm,
    )) {
      if (clause.startsWith('type ')) continue;
      if (name.startsWith('.')) waiting.push(join(dirname(file), name));
      else packages.add(name);
    }
  }
  return { files, packages };
}

describe('a balancer', () => {
  const { files, packages } = loadedBy('balancer/balancer.ts');

  it('is followed to its last file', () => {
    expect([...files].filter((file) => !existsSync(file))).toEqual([]);
    expect(files.size).toBeGreaterThan(100);
    expect([...packages]).toContain('undici');
    expect(files.has(join(root, 'balancer/keda-wiring.ts'))).toBe(true);
  });

  it('loads no gRPC before a configuration asks for it', () => {
    expect([...packages].filter((name) => name.startsWith('@grpc/') || name === 'protobufjs')).toEqual([]);
    expect(files.has(join(root, 'balancer/scale-outputs/keda-server.ts'))).toBe(false);
    expect([...loadedBy('balancer/scale-outputs/keda-server.ts').packages]).toContain('@grpc/grpc-js');
  });
});
