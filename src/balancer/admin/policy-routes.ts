// Policies as the API shows and replaces them. A replaced one is a file; the reload that watches it takes it over.
import { stringify } from 'yaml';
import { HeraldError } from '../../core/error.ts';
import { meantHint } from '../../core/nearest.ts';
import type { PolicyFiles } from '../../platform/policy-files.ts';
import { readPolicy } from '../../policy/compile-policy.ts';
import { namePattern } from '../../policy/field.ts';
import type { Policy } from '../../policy/policy.ts';
import type { PolicyDocument } from '../../protocol/admin-api.ts';
import type { Registry } from '../state/registry.ts';
import type { Answer } from './answer.ts';
import { refuseUnlessAllPools, type Caller } from './caller.ts';
import type { HandlersOf } from './handlers.ts';
import { nameIn } from './path-name.ts';
import { changesBetween, etagOf, refuseOtherVersion } from './policy-version.ts';
import { readablePolicy } from './readable-policy.ts';
import type { ScopedView } from './scoped-view.ts';

interface PolicyRouteDeps {
  readonly registry: Registry;
  /** Every policy that is loaded, used by a pool or not. */
  readonly policies: () => Iterable<Policy>;
  readonly policyFiles: PolicyFiles;
}

// A policy has four levels; what is deeper is none, and thousands of levels would overflow the stack of a writer.
const maxDepth = 16;

export function policyHandlers(deps: PolicyRouteDeps): HandlersOf<'getPolicy' | 'putPolicy'> {
  // One replacement at a time: between looking at the version and writing, nobody else writes.
  let last: Promise<unknown> = Promise.resolve();
  return {
    getPolicy({ view, context, caller }) {
      const policy = policyNamed(deps, nameIn(context, 'name'), { view, caller });
      return { status: 200, json: readablePolicy(policy), headers: { ETag: etagOf(policy) } };
    },
    async putPolicy({ view, context, caller, body, query }) {
      const name = nameIn(context, 'name');
      refuseScope(deps, name, { view, caller });
      const { policy, text } = checked(name, body);
      const ifMatch = context.req.header('if-match');
      const replaced = last.then(() =>
        replace(deps, { name, policy, text, ifMatch, isDryRun: query.dryRun === true }),
      );
      last = replaced.catch(() => undefined);
      return replaced;
    },
  };
}

interface Replacement {
  readonly name: string;
  readonly policy: Policy;
  readonly text: string;
  readonly ifMatch: string | undefined;
  readonly isDryRun: boolean;
}

async function replace({ policies, policyFiles }: PolicyRouteDeps, wish: Replacement): Promise<Answer> {
  const { name, policy, text, ifMatch, isDryRun } = wish;
  const found = await policyFiles.find(name);
  // Without a file of its own it is the built-in `default`, or none.
  const current = found === undefined ? [...policies()].find((each) => each.name === name) : found.policy;
  refuseOtherVersion(ifMatch, current);
  const document = readablePolicy(policy);
  const changes = changesBetween(current === undefined ? {} : readablePolicy(current), document);
  const file = found?.file ?? `${name}.yaml`;
  const written = !isDryRun && changes.length > 0;
  if (written) await policyFiles.write(file, text, { isNew: found === undefined });
  return {
    status: 200,
    json: { policy: document, changes, written, file },
    headers: { ETag: etagOf(policy) },
    isDryRun: !written,
  };
}

/** The policy that a body writes, with the text of its file. Throws HERALD_CONFIG_INVALID with every problem. */
function checked(name: string, body: PolicyDocument): { policy: Policy; text: string } {
  if (!namePattern.test(name) || name.startsWith('.'))
    throw invalid([
      { path: 'name', message: `'${name}' cannot name a file`, hint: 'letters, digits and . _ : -' },
    ]);
  if (isDeeper(body, maxDepth))
    throw invalid([{ path: '', message: 'is nested too deeply', hint: 'a policy has four levels' }]);
  const text = `# Written through the admin API.\n${stringify(body)}`;
  const { policy, problems } = readPolicy(`${name}.yaml`, text);
  if (problems.length > 0 || policy === undefined)
    // Lines of a text that the client has never seen say nothing to it.
    throw invalid(problems.map(({ path, message, hint }) => ({ path, message, hint })));
  if (policy.name === name) return { policy, text };
  throw invalid([
    { path: 'name', message: `is '${policy.name}', the path says '${name}'`, hint: 'write one of them' },
  ]);
}

function invalid(problems: readonly { path: string; message: string; hint: string }[]): HeraldError {
  const shown = problems.slice(0, 20);
  const lines = shown.map(({ path, message, hint }) => {
    const start = path === '' ? message : `${path}: ${message}`;
    return hint === '' ? start : `${start} (${hint})`;
  });
  return new HeraldError('HERALD_CONFIG_INVALID', lines.join('; '), { problems: shown });
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((part) => isDeeper(part, levels - 1));
}

/** A policy of a pool in scope. One that no pool uses is for callers with every pool. */
function policyNamed(
  { policies }: PolicyRouteDeps,
  name: string,
  { view, caller }: { view: ScopedView; caller: Caller },
): Policy {
  const used = new Set(view.pools().map(({ policy }) => policy.name));
  const seen = [...policies()].filter((policy) => caller.pools === 'all' || used.has(policy.name));
  const found = seen.find((policy) => policy.name === name);
  if (found !== undefined) return found;
  const names = seen.map((policy) => policy.name);
  const meant = meantHint(name, names);
  throw new HeraldError('HERALD_POLICY_UNKNOWN', `there is no policy '${name}'${meant}`, { policy: name });
}

/** Who may replace a policy: a scope that has every pool that is under it. One out of sight does not exist. */
function refuseScope(
  deps: PolicyRouteDeps,
  name: string,
  { view, caller }: { view: ScopedView; caller: Caller },
): void {
  if (caller.pools === 'all') return;
  policyNamed(deps, name, { view, caller });
  const pools = [...deps.registry.pools.values()].filter(({ policy }) => policy.name === name);
  if (pools.every((pool) => view.sees(pool.name))) return;
  refuseUnlessAllPools(caller, `policy '${name}' is used by pools out of scope, so it`);
}
