import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../../../..');

it('docs/reference/api.md names every path and method of both listeners, and no other', () => {
  const page = readFileSync(join(root, 'docs/reference/api.md'), 'utf8');
  const documented = [...page.matchAll(/^\| `([A-Z]+ \/\S+)` \|/gm)].map((match) => match[1]);
  const rooms = ['src/balancer/intake', 'src/balancer/admin'];
  const routed = rooms.flatMap((room) =>
    readdirSync(join(root, room)).flatMap((file) => routesIn(readFileSync(join(root, room, file), 'utf8'))),
  );
  expect(documented.toSorted()).toEqual(routed.toSorted());
});

/** `GET /v1/pools/{pool}` for every handler of the route tables in a source. */
function routesIn(source: string): string[] {
  const [, ...tables] = source.split(/^\s+'(?=\/)/m);
  return tables.flatMap((table) => {
    const path = table.slice(0, table.indexOf("'")).replaceAll(/:(\w+)/g, '{$1}');
    return [...table.matchAll(/\b(GET|POST|PUT|DELETE)(?=[:(])/g)].map((match) => `${match[1]} ${path}`);
  });
}
