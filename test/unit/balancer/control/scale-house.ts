// A driver over real drains, whose recommendations and whose platform are the test's.
import type { ScaleExecutor, ScaleWish } from '../../../../src/balancer/control/ports.ts';
import { ScaleDriver } from '../../../../src/balancer/control/scale-driver.ts';
import { pcg32 } from '../../../../src/core/rng.ts';
import type { Scaling } from '../../../../src/protocol/scaling.ts';
import { aDrainHouse, live, type DrainHouse } from '../../../support/a-drain-house.ts';
import type { PolicyParts } from '../../../support/a-policy.ts';
import { aScaling, aStubFeed } from '../../../support/a-scaling.ts';

export interface ScaleHouse {
  readonly house: DrainHouse;
  /** What the platform was asked, in order. */
  readonly wishes: ScaleWish[];
  /** How it answers: takes the wish, throws this, or never answers. */
  platform: 'takes' | 'hangs' | Error;
  /** False: nothing is configured that starts and stops nodes. */
  hasExecutor: boolean;
  /** False: another balancer acts for all. */
  isLeader: boolean;
  /** A recommendation is told; resolves when the platform has answered what it answers at once. */
  say(parts?: Partial<Scaling>): Promise<void>;
  /** The driver ends and another begins, as after a restart. */
  restart(): void;
  /** Types of the driver's events, in order. */
  told(): string[];
  /** Its last message. */
  lastWords(): string;
  adminState(node: string): string | undefined;
}

const noPool = () => new Error('the feed has said nothing yet');

/** Nodes a, b, c of pool `chat`; drains are quick unless the house's manners are others, and there is no grace. */
export function aScaleHouse(
  options: { nodes?: readonly string[]; policy?: PolicyParts; graceMs?: number } = {},
): ScaleHouse {
  const house = aDrainHouse({ ...options, policy: withQuickDrains(options.policy) });
  live(house, 6);
  const feed = aStubFeed(noPool);
  const wishes: ScaleWish[] = [];
  const executor: ScaleExecutor = {
    name: 'stub',
    apply(wish) {
      wishes.push(wish);
      if (self.platform === 'hangs') return new Promise(() => {});
      return self.platform === 'takes' ? Promise.resolve() : Promise.reject(self.platform);
    },
  };
  const begin = () => {
    const driver = new ScaleDriver({
      feed,
      control: house.control,
      registry: house.registry,
      clock: house.clock,
      rng: pcg32(7),
      tell: (event) => void house.events.push(event),
      executorOf: () => (self.hasExecutor ? executor : undefined),
      graceMs: options.graceMs ?? 0,
      isLeader: () => self.isLeader,
    });
    driver.start();
    return driver;
  };
  let driver = begin();
  const own = () => house.events.filter(({ type }) => type.startsWith('scale.'));
  const self: ScaleHouse = {
    house,
    wishes,
    platform: 'takes',
    hasExecutor: true,
    isLeader: true,
    async say(parts = {}) {
      feed.say(aScaling(parts));
      for (let i = 0; i < 5; i++) await Promise.resolve();
    },
    restart() {
      driver.stop();
      driver = begin();
    },
    told: () => own().map(({ type }) => type),
    lastWords: () => own().at(-1)?.message ?? '',
    adminState: (node) => house.registry.pools.get('chat')?.nodes.get(node)?.adminState,
  };
  return self;
}

/** Victims go within 20 s, or within the deadline that the policy has for every drain. */
function withQuickDrains(policy: PolicyParts = {}): PolicyParts {
  const { scale, drain } = policy;
  const down = scale?.down ?? { afterMs: 300_000, step: 1 };
  return { ...policy, scale: { ...scale, down: { ...down, drainMs: drain?.deadlineMs ?? 20_000 } } };
}
