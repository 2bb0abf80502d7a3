// Checks of `webhooks` and `drivers` against each other and against the pools.
import type { ConfigDocument } from './config-schema.ts';
import { isLoopback } from './cidr.ts';
import { duplicates, unknownPools } from './name-checks.ts';
import { formatPath, formatProblem, type Path, type Problem } from './problem.ts';
import { problemAt } from './schema-problems.ts';
import type { Source } from './yaml-document.ts';

type Sections = Partial<ConfigDocument>;

/** Everything that is wrong with webhooks and drivers beside their own forms. */
export function checkOutputs(source: Source, { webhooks = [], drivers = [], pools }: Sections): Problem[] {
  const named = [
    ...webhooks.map((each, index) => ({ what: 'webhooks', pools: each.pools, path: ['webhooks', index] })),
    ...drivers.map((each, index) => ({ what: 'drivers', pools: each.pools, path: ['drivers', index] })),
  ];
  return [
    ...checkNames(source, 'webhooks', webhooks),
    ...checkNames(source, 'drivers', drivers),
    ...named.flatMap((each) =>
      unknownPools(source, { named: each.pools, path: [...each.path, 'pools'], pools }),
    ),
    ...checkOneDriverAPool(source, drivers),
  ];
}

/** A line for each webhook whose events cross a network in the clear: that is unwise, but the operator's to decide. */
export function warnOfOutputs(source: Source, { webhooks = [] }: Sections): string[] {
  return webhooks.flatMap(({ url }, index) => {
    const { protocol, hostname } = new URL(url);
    if (protocol === 'https:' || hostname === 'localhost' || isLoopback(hostname.replaceAll(/[[\]]/g, '')))
      return [];
    const message =
      'events cross the network in the clear: signed, so that nobody can change them, but readable';
    return [formatProblem(problemAt(source, ['webhooks', index, 'url'], message, 'write https'))];
  });
}

function checkNames(
  source: Source,
  section: 'webhooks' | 'drivers',
  entries: readonly { readonly name: string }[],
): Problem[] {
  return duplicates(
    source,
    entries.map(({ name }, index) => ({ key: name, path: [section, index, 'name'] })),
    (key) => `two ${section} are named ${key}`,
    'give each a name',
  );
}

/** Two drivers of one pool would both start nodes for the same load. */
function checkOneDriverAPool(source: Source, drivers: NonNullable<Sections['drivers']>): Problem[] {
  const hint = 'one of them only can start and stop its nodes: name different pools';
  return drivers.flatMap(({ pools }, index) => {
    const other = drivers.findIndex((each, at) => at < index && haveCommon(each.pools, pools));
    if (other < 0) return [];
    const at: Path = ['drivers', index, ...(pools === undefined ? [] : ['pools'])];
    const first = formatPath(['drivers', other]);
    return [problemAt(source, at, `has a pool that ${first} has, too`, hint)];
  });
}

function haveCommon(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return a === undefined || b === undefined || a.some((pool) => b.includes(pool));
}
