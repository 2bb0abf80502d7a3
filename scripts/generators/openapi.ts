// The API's document as a file, for people and for makers of clients.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiDocument } from '../../src/balancer/admin/api/openapi.ts';
import { allRoutes } from '../../src/balancer/admin/api/routes.ts';
import type { Generator } from './generator.ts';
import { printJson } from './print-json.ts';

export const openApi: Generator = {
  path: 'docs/reference/openapi.json',
  render: () => printJson(openApiDocument(allRoutes, version())),
};

function version(): string {
  const text = readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8');
  // Proof of the cast: the package's own manifest.
  return (JSON.parse(text) as { version: string }).version;
}
