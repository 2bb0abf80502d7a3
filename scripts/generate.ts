// Writes every file that is made from the sources; with --check it writes nothing and fails where one differs.
// A new kind of generated file is one more entry of the list.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { metricsReference } from '../src/balancer/metrics/catalogue.ts';
import { errorReference } from './generators/error-reference.ts';
import type { Generator } from './generators/generator.ts';
import { jsonSchemas } from './generators/json-schema.ts';
import { openApi } from './generators/openapi.ts';
import { keyReferences } from './generators/key-reference.ts';
import { requestHygiene } from './generators/request-hygiene.ts';

const metrics: Generator = { path: 'docs/reference/metrics.md', render: metricsReference };

const generators: readonly Generator[] = [
  ...jsonSchemas,
  ...keyReferences,
  errorReference,
  metrics,
  openApi,
  requestHygiene,
];

const root = join(import.meta.dirname, '..');

function currentText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const stale = generators.flatMap(({ path, render }) => {
  const text = render();
  const current = currentText(join(root, path));
  return current === text ? [] : [{ path, text, isMissing: current === undefined }];
});

if (process.argv.includes('--check')) {
  for (const { path, isMissing } of stale) {
    const reason = isMissing ? 'is missing' : 'is not what the sources give';
    process.stderr.write(`${path} ${reason}: run \`npm run generate\` and commit the result\n`);
  }
  if (stale.length > 0) process.exitCode = 1;
  else process.stdout.write(`${generators.length} generated files are up to date\n`);
} else {
  for (const { path, text } of stale) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    process.stdout.write(`wrote ${path}\n`);
  }
  if (stale.length === 0) process.stdout.write('nothing to do: every generated file is up to date\n');
}
