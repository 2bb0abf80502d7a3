// Checks across the sections of herald.yaml, and between it and the policies.
import { formatAddress, type Address } from './address.ts';
import { checkAdmin } from './admin-checks.ts';
import type { ConfigDocument } from './config-schema.ts';
import { checkScaleOutputs } from './keda-checks.ts';
import { checkListeners } from './listener-checks.ts';
import type { WrittenBind } from './listener-tls-schema.ts';
import { nameHint } from '../core/nearest.ts';
import { formatPath, type Path, type Problem } from './problem.ts';
import { duplicates, unknownPools } from './name-checks.ts';
import { checkOutputs } from './output-checks.ts';
import { checkRoutes } from './route-checks.ts';
import { problemAt } from './schema-problems.ts';
import type { Source } from './yaml-document.ts';

type Sections = Partial<ConfigDocument>;

/** Everything that is wrong between sections; sections that are missing or unsound are left out. */
export function checkConfig(source: Source, sections: Sections): Problem[] {
  return [
    ...checkListenerNames(source, sections),
    ...checkListeners(source, sections),
    ...checkBinds(source, sections),
    ...checkNodeIds(source, sections),
    ...checkRoutes(source, sections),
    ...checkTokens(source, sections),
    ...checkAdmin(source, sections.admin),
    ...checkScaleOutputs(source, sections),
    ...checkOutputs(source, sections),
    ...unknownPools(source, {
      named: sections.accessLog?.pools,
      path: ['accessLog', 'pools'],
      pools: sections.pools,
    }),
  ];
}

/**
 * Every pool whose policy is not among `known`. A missing name may stand in a policy file that could not be
 * understood: then `isComplete` is false and nothing is said.
 */
export function checkPolicyNames(
  source: Source,
  { pools }: Sections,
  { known, isComplete }: { readonly known: readonly string[]; readonly isComplete: boolean },
): Problem[] {
  if (!isComplete) return [];
  return Object.entries(pools ?? {}).flatMap(([name, { policy }]) => {
    if (known.includes(policy)) return [];
    return [
      problemAt(source, ['pools', name, 'policy'], `no policy is named ${policy}`, nameHint(policy, known)),
    ];
  });
}

function checkListenerNames(source: Source, { listeners = [] }: Sections): Problem[] {
  const entries = listeners.map(({ name }, index) => ({ key: name, path: ['listeners', index, 'name'] }));
  return duplicates(source, entries, (key) => `two listeners are named ${key}`, 'give each a name');
}

function checkBinds(source: Source, { listeners = [], intake, admin, keda }: Sections): Problem[] {
  const binds: { path: Path; bind: WrittenBind }[] = listeners.map(({ bind }, index) => {
    return { path: ['listeners', index, 'bind'], bind };
  });
  if (admin !== undefined) binds.push({ path: ['admin', 'socket'], bind: { path: admin.socket } });
  if (intake !== undefined) binds.push({ path: ['intake', 'bind'], bind: intake.bind });
  if (admin?.bind !== undefined) binds.push({ path: ['admin', 'bind'], bind: admin.bind });
  if (keda !== undefined) binds.push({ path: ['keda', 'bind'], bind: keda.bind });
  return binds.flatMap(({ path, bind }, index) => {
    const other = binds.slice(0, index).find((earlier) => overlaps(earlier.bind, bind));
    if (other === undefined) return [];
    const isUnix = 'path' in bind;
    const message = `${isUnix ? bind.path : formatAddress(bind)} is taken by ${formatPath(other.path)}`;
    return [problemAt(source, path, message, `choose another ${isUnix ? 'path' : 'port'}`)];
  });
}

/** True when one socket would keep the other from binding: same port, and same host or one of them every host. */
function overlaps(a: WrittenBind, b: WrittenBind): boolean {
  if ('path' in a || 'path' in b) return 'path' in a && 'path' in b && a.path === b.path;
  if (a.port !== b.port || a.port === 0) return false;
  return a.host === b.host || isEveryHost(a) || isEveryHost(b);
}

function isEveryHost({ host }: Address): boolean {
  return host === '0.0.0.0' || host === '::';
}

function checkNodeIds(source: Source, { pools = {} }: Sections): Problem[] {
  const entries = Object.entries(pools).flatMap(([pool, { nodes }]) =>
    nodes.map(({ id, address }, index) => {
      const path = ['pools', pool, 'nodes', index, id === undefined ? 'address' : 'id'];
      return { key: id ?? formatAddress(address), path };
    }),
  );
  return duplicates(source, entries, (key) => `two nodes have the id ${key}`, 'give each an id of its own');
}

/** One name a token in the whole file: audit events and claims of ids call whoever it is by it. */
function checkTokens(source: Source, { intake, admin, pools }: Sections): Problem[] {
  const tokens = [
    ...(intake?.tokens ?? []).map((token, index) => ({ token, path: ['intake', 'tokens', index] })),
    ...(admin?.tokens ?? []).map((token, index) => ({ token, path: ['admin', 'tokens', index] })),
  ];
  const entries = tokens.map(({ token, path }) => ({ key: token.name, path: [...path, 'name'] }));
  const twice = duplicates(source, entries, (key) => `two tokens are named ${key}`, 'give each a name');
  return [
    ...twice,
    ...tokens.flatMap(({ token, path }) =>
      unknownPools(source, { named: token.pools, path: [...path, 'pools'], pools }),
    ),
  ];
}
