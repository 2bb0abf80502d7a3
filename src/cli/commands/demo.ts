// `herald demo`: the main job in a minute, on real sockets.
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError, type Command } from 'commander';
import { Balancer } from '../../balancer/balancer.ts';
import type { Policy } from '../../policy/policy.ts';
import { runDemo } from '../../demo/demo.ts';
import type { DemoRule } from '../../demo/imbalance.ts';
import { loadConfig } from '../../platform/config.ts';
import { createSilentLogger } from '../../platform/logger.ts';
import { packageVersion } from '../../platform/version.ts';
import { createSystemRng } from '../../platform/system-rng.ts';
import type { CliIo } from '../io.ts';

interface Flags {
  readonly json: boolean;
  readonly seed: number;
  readonly seeds: number;
  readonly duration: number;
}

const demoConfig = fileURLToPath(new URL('../../../config/demo/herald.yaml', import.meta.url));

/** Adds `herald demo`. */
export function registerDemo(program: Command, io: CliIo): void {
  program
    .command('demo')
    .description(
      'run a balancer, five socket servers and 300 clients for a minute, and compare with least connections',
    )
    .option('--json', 'one JSON line per second and rule, the figures last', false)
    .option('--seed <n>', 'seed of the traffic', wholeNumber(1, 2 ** 31), 1)
    .option('--seeds <n>', 'run this many seeds one after another', wholeNumber(1, 100), 1)
    .option('--duration <seconds>', 'length of each run', wholeNumber(10, 600), 30)
    .action(async ({ json, seed, seeds, duration }: Flags) => {
      const all = Array.from({ length: seeds }, (_, index) => seed + index);
      await runDemo(
        { seeds: all, durationMs: duration * 1000, json },
        { ...io, startBalancer: balancerStarter(io) },
      );
    });
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}.`);
  };
}

/** Both rules run the same policy, but for the picker. */
function balancerStarter({ clock }: CliIo): (rule: DemoRule) => Promise<Balancer> {
  return async (rule) => {
    const { config, policies } = await loadConfig(demoConfig, {});
    const picker = rule === 'herald' ? 'waterfill' : 'leastConnections';
    const withPicker = [...policies].map(([name, policy]): [string, Policy] => [
      name,
      { ...policy, place: { ...policy.place, picker } },
    ]);
    const loaded = { config, policies: new Map(withPicker) };
    const balancer = new Balancer({
      loaded,
      clock,
      rng: createSystemRng(),
      log: createSilentLogger(),
      version: packageVersion(),
    });
    await balancer.start();
    return balancer;
  };
}
