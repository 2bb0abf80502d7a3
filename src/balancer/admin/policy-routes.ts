// Policies as the API shows them.
import { HeraldError } from '../../core/error.ts';
import { meantHint } from '../../core/nearest.ts';
import type { HttpRoutes } from '../../platform/http-app.ts';
import type { Policy } from '../../policy/policy.ts';
import { nameIn } from './path-name.ts';
import { readablePolicy } from './readable-policy.ts';

export function policyRoutes({ policies }: { policies: () => Iterable<Policy> }): HttpRoutes {
  return {
    '/v1/policies/:name': {
      GET: (context) => context.json(readablePolicy(policyNamed(policies(), nameIn(context, 'name')))),
    },
  };
}

function policyNamed(policies: Iterable<Policy>, name: string): Policy {
  const all = [...policies];
  const found = all.find((policy) => policy.name === name);
  if (found !== undefined) return found;
  const names = all.map((policy) => policy.name);
  const meant = meantHint(name, names);
  throw new HeraldError('HERALD_POLICY_UNKNOWN', `there is no policy '${name}'${meant}`, { policy: name });
}
