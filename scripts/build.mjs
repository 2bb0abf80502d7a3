// Compiles src/ into dist/ from nothing, so that a deleted source leaves no compiled ghost behind.
import { chmodSync, copyFileSync, cpSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync(join('node_modules', '.bin', 'tsc'), ['-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
  shell: false,
});
if (status !== 0) process.exit(status ?? 1);
// What the compiler leaves behind: the scripts that Redis runs are read at run time.
cpSync('src/cluster/scripts', 'dist/cluster/scripts', { recursive: true });
chmodSync('dist/cli/main.js', 0o755);
// What the compiler does not carry over.
const proto = 'balancer/scale-outputs/externalscaler.proto';
copyFileSync(join('src', proto), join('dist', proto));
