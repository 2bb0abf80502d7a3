// Runs TypeScript as the build emits it: types go, nothing comes. `node --import ./test/bench/as-built.mjs FILE.ts`.
// tsx keeps the names of functions by a call for each closure that is made, which doubled the cost of a placement.
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transform } from 'esbuild';

// Node loads this file again in the thread of its hooks, for what it exports.
if (isMainThread) register(import.meta.url);

/** @type {import('node:module').LoadHook} */
export async function load(url, context, next) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return next(url, context);
  const typescript = await readFile(fileURLToPath(url), 'utf8');
  const { code } = await transform(typescript, { loader: 'ts', target: 'es2023', sourcefile: url });
  return { format: 'module', shortCircuit: true, source: code };
}
