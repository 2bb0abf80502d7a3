// The rules that are compared, as data: Herald's policy with several pickers, and the baselines.
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
  /** One balancer of a scenario. `self` is its index among them. */
  create(scenario: Scenario, context: { self: number; rng: Rng }): SimulatedBalancer;
}

function herald(name: string, picker: PickerName): Rule {
  return {
    name,
    isBaseline: false,
    create: (scenario, context) => heraldBalancer(policyFor(scenario, picker), context),
  };
}

/** The default policy, told of a scenario what an operator tells: how often agents report. */
function policyFor({ report }: Scenario, picker: PickerName): Policy {
  const policy = defaultPolicy('simulated');
  return {
    ...policy,
    reports: { ...policy.reports, intervalMs: report.intervalMs },
    place: { ...policy.place, picker },
  };
}

function baseline(name: string, chooser: (rng: Rng) => Chooser): Rule {
  return { name, isBaseline: true, create: (_, { rng }) => baselineBalancer(chooser(rng)) };
}

/** Every rule of the table, in its order; the first is Herald's default. */
export const rules: readonly Rule[] = [
  herald('herald (waterfill)', 'waterfill'),
  herald('herald, least', 'least'),
  herald('herald, p2c', 'p2c'),
  baseline('round robin', roundRobin),
  baseline('least connections', leastConnections),
  baseline('leastconn + Herald 2016', haproxyHerald2016),
  baseline('gRPC/Envoy WRR (ORCA)', weightedRoundRobin),
];
