// Checks of names that several sections share: given twice, or of a pool that is not there.
import { nameHint } from '../core/nearest.ts';
import type { ConfigDocument } from './config-schema.ts';
import { formatPath, type Path, type Problem } from './problem.ts';
import { problemAt } from './schema-problems.ts';
import type { Source } from './yaml-document.ts';

/** A problem for each of `named` that no pool is called; none where the pools could not be understood. */
export function unknownPools(
  source: Source,
  {
    named = [],
    path,
    pools,
  }: {
    readonly named: readonly string[] | undefined;
    readonly path: Path;
    readonly pools: ConfigDocument['pools'] | undefined;
  },
): Problem[] {
  if (pools === undefined) return [];
  const known = Object.keys(pools);
  return named.flatMap((pool, index) => {
    if (known.includes(pool)) return [];
    return [problemAt(source, [...path, index], `no pool is named ${pool}`, nameHint(pool, known))];
  });
}

/** A problem for each key that an earlier entry has, too. */
export function duplicates(
  source: Source,
  entries: readonly { readonly key: string; readonly path: Path }[],
  say: (key: string) => string,
  hint: string,
): Problem[] {
  const first = new Map<string, Path>();
  return entries.flatMap(({ key, path }) => {
    const earlier = first.get(key);
    first.set(key, earlier ?? path);
    if (earlier === undefined) return [];
    return [problemAt(source, path, `${say(key)}, see ${formatPath(earlier)}`, hint)];
  });
}
