// The rules that are compared, as data: Herald's policy with several pickers, and the baselines.
import { HeraldError } from '../core/error.ts';
import { nameHint } from '../core/nearest.ts';
import type { PickerName } from '../core/pick/picker-name.ts';
import type { Rng } from '../core/rng.ts';
import { defaultPolicy } from '../policy/compile-policy.ts';
import type { Policy } from '../policy/policy.ts';
import type { SimulatedBalancer } from './balancer.ts';
import {
  baselineBalancer,
  haproxyHerald2016,
  leastConnections,
  roundRobin,
  weightedRoundRobin,
  type Chooser,
} from './baselines.ts';
import { heraldBalancer } from './herald-balancer.ts';
import type { Scenario } from './scenario.ts';

/** One row of the table. */
export interface Rule {
  readonly name: string;
  /** A rule to be beaten, not one of Herald's. */
  readonly isBaseline: boolean;
  /** All balancers of one run, with a source of chance for each. */
  create(scenario: Scenario, rngs: readonly Rng[]): readonly SimulatedBalancer[];
}

/** Herald with the default policy but for what is named. */
function herald(
  name: string,
  { picker = 'waterfill', hearsAgents = true, isDeclared = false, choose }: HeraldVariant = {},
): Rule {
  return {
    name,
    isBaseline: false,
    create: (scenario, rngs) =>
      rngs.map((rng, self) =>
        heraldBalancer(policyFor(scenario, picker, choose), {
          self,
          rng,
          hearsAgents,
          declared: isDeclared ? scenario.sizes : undefined,
          moves: choose !== undefined,
        }),
      ),
  };
}

interface HeraldVariant {
  readonly picker?: PickerName;
  readonly hearsAgents?: boolean;
  readonly isDeclared?: boolean;
  /** Moves connections, these first; absent: it does not. */
  readonly choose?: Policy['rebalance']['choose'];
}

/** The default policy, told of a scenario what an operator tells: how often agents report. */
export function policyFor(
  { report }: Scenario,
  picker: PickerName,
  choose?: HeraldVariant['choose'],
): Policy {
  const policy = defaultPolicy('simulated');
  return {
    ...policy,
    reports: { ...policy.reports, intervalMs: report.intervalMs },
    place: { ...policy.place, picker },
    rebalance: { ...policy.rebalance, ...(choose && { mode: 'auto', choose }) },
  };
}

function baseline(name: string, chooser: (rng: Rng) => Chooser): Rule {
  return { name, isBaseline: true, create: (_, rngs) => rngs.map((rng) => baselineBalancer(chooser(rng))) };
}

/** Every rule of the table, in its order; the first is Herald's default. */
export const rules: readonly Rule[] = [
  herald('herald (waterfill)'),
  herald('herald, least', { picker: 'least' }),
  herald('herald, p2c', { picker: 'p2c' }),
  herald('herald, capacity told', { isDeclared: true }),
  herald('herald, rebalance', { choose: 'heaviest' }),
  herald('herald, rebalance by chance', { choose: 'random' }),
  herald('herald, no agents', { hearsAgents: false }),
  herald('herald, no agents, told', { hearsAgents: false, isDeclared: true }),
  baseline('round robin', roundRobin),
  baseline('least connections', leastConnections),
  baseline('leastconn + Herald 2016', haproxyHerald2016),
  baseline('gRPC/Envoy WRR (ORCA)', weightedRoundRobin),
];

/** The rule of this name; throws HERALD_SCENARIO_INVALID for an unknown one. */
export function ruleOf(name: string): Rule {
  const found = rules.find((each) => each.name === name);
  if (found !== undefined) return found;
  const hint = nameHint(
    name,
    rules.map((each) => each.name),
  );
  throw new HeraldError('HERALD_SCENARIO_INVALID', `no rule '${name}' (${hint})`, { rule: name });
}
