// How many balancers a fleet has, and what they tell each other: the arms that `npm run simulate -- --peers` compares.
import { policyFor, type Rule } from '../rules.ts';
import { stepMs, type Scenario } from '../scenario.ts';
import { scenarios } from '../scenarios.ts';
import { DelayedLink, type LinkDelay } from './delayed-link.ts';
import { StepClock } from './step-clock.ts';
import { WholeBalancer } from './whole-balancer.ts';

/** Balancers that are compared: how many, and whether they share. */
export interface SharingArm {
  readonly name: string;
  readonly rule: Rule;
  /** The scenario that it runs. */
  of(scenario: Scenario): Scenario;
}

// Words of a balancer leave it every tenth of a second and pass through a store.
const usualDelay: LinkDelay = { fromMs: 100, toMs: 200 };

/** One balancer, and `balancers` (2 or more) apart and sharing. Apart, every agent reports to all; sharing, to one. */
export function sharingArms(balancers: number, delay: LinkDelay = usualDelay): readonly SharingArm[] {
  return [
    armOf('one', 1, wholeRule('one', undefined)),
    armOf(`${balancers} apart`, balancers, wholeRule('apart', undefined)),
    armOf(`${balancers} sharing`, balancers, wholeRule('sharing', delay)),
  ];
}

/** The scenarios of the arms: agents report every five seconds, and how many balancers there are is the arm's. */
export function sharingScenarios(): readonly Scenario[] {
  return scenarios
    .filter(({ balancers }) => balancers === 1)
    .map((scenario) => ({
      ...scenario,
      report: { ...scenario.report, intervalMs: 5000 },
      messagesEveryMs: stepMs,
    }));
}

function armOf(name: string, balancers: number, rule: Rule): SharingArm {
  return { name, rule, of: (scenario) => ({ ...scenario, balancers }) };
}

/** Whole balancers with the default policy; `delay` undefined: they share nothing. */
function wholeRule(name: string, delay: LinkDelay | undefined): Rule {
  return {
    name,
    isBaseline: false,
    create(scenario, rngs) {
      const clock = new StepClock();
      const [rng] = rngs;
      const link = delay && rng && new DelayedLink({ clock, rng, delay });
      const policy = policyFor(scenario, 'waterfill');
      return rngs.map(
        (own, self) =>
          new WholeBalancer({
            clock,
            policy,
            rng: own,
            takes: (node) => link === undefined || node % rngs.length === self,
            store: link?.store(`lb-${self}`),
          }),
      );
    },
  };
}
