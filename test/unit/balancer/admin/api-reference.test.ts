import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allRoutes } from '../../../../src/balancer/admin/api/routes.ts';
import { noticeTypes } from '../../../../src/balancer/notices.ts';

const root = join(import.meta.dirname, '../../../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const table = Object.values(allRoutes).map(({ method, path }) => `${method} ${path}`);

describe('docs/reference/api.md', () => {
  it('has a section for every path and method of both listeners, and for no other', () => {
    const documented = [...read('docs/reference/api.md').matchAll(/^### ([A-Z]+ \/\S+)$/gm)].map(
      (match) => match[1],
    );
    expect(documented.toSorted()).toEqual(table.toSorted());
  });

  it('names every key that a body or a query takes', () => {
    const page = read('docs/reference/api.md');
    const keys = Object.values(allRoutes).flatMap(({ query, body }) => [
      ...Object.keys(query?.shape ?? {}),
      ...(body !== undefined && 'shape' in body ? Object.keys(body.shape as object) : []),
    ]);
    expect(keys.length).toBeGreaterThan(10);
    expect(
      keys.filter(
        (key) => !page.includes(`\`${key}\``) && !page.includes(`"${key}"`) && !page.includes(`?${key}=`),
      ),
    ).toEqual([]);
  });
});

it('the table of routes has what the intake answers', () => {
  // Hooks of autoscalers are answered on the intake by the room of the scaling outputs.
  const rooms = ['src/balancer/intake', 'src/balancer/scale-outputs'];
  const files = rooms.flatMap((room) => readdirSync(join(root, room)).map((file) => `${room}/${file}`));
  const routed = files.flatMap((file) => routesIn(read(file)));
  const intake = Object.values(allRoutes).filter(({ listener }) => listener === 'intake');
  const paths = intake.map(({ path }) => path);
  expect([...new Set(routed)].toSorted()).toEqual([...new Set([...paths, '/healthz'])].toSorted());
});

it('docs/reference/events.md lists every type that is told, once', () => {
  const page = read('docs/reference/events.md');
  const listed = [...page.matchAll(/^\| `(\w+\.\w+)`/gm)].map(([, type = '']) => type);
  expect(listed.filter((type, index) => listed.indexOf(type) !== index)).toEqual([]);
  expect(Object.values(noticeTypes).filter((type) => !listed.includes(type))).toEqual([]);
  const rooms = ['', '/admin', '/control', '/scale-outputs'].map((room) => `src/balancer${room}`);
  const told = rooms.flatMap((room) =>
    readdirSync(join(root, room))
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        [...read(`${room}/${file}`).matchAll(/(?:type: |#tell\()'(\w+\.\w+)'/g)].map(([, type = '']) => type),
      ),
  );
  expect(told.length).toBeGreaterThan(3);
  expect(told.filter((type) => !listed.includes(type))).toEqual([]);
});

/** The paths of the route tables in a source of the intake. */
function routesIn(source: string): string[] {
  return [...source.matchAll(/'(\/[a-z/0-9:-]+)': \{/g)].map(([, path = '']) =>
    path.replaceAll(/:(\w+)/g, '{$1}'),
  );
}
