// `herald demo`: the main job in a minute, on real sockets.
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError, type Command } from 'commander';
import { Balancer, type BalancerSettings } from '../../balancer/balancer.ts';
import type { ScaleExecutor } from '../../balancer/control/ports.ts';
import { HeraldError } from '../../core/error.ts';
import type { Policy } from '../../policy/policy.ts';
import { runDemo } from '../../demo/demo.ts';
import { runScaleDemo } from '../../demo/scale-demo.ts';
import type { DemoRule } from '../../demo/imbalance.ts';
import { loadConfig } from '../../platform/config.ts';
import { createSilentLogger } from '../../platform/logger.ts';
import { packageVersion } from '../../platform/version.ts';
import { createSystemRng } from '../../platform/system-rng.ts';
import { exitCodes, type ExitCode } from '../exit-code.ts';
import type { CliIo } from '../io.ts';

interface Flags {
  readonly json: boolean;
  readonly seed: number;
  readonly seeds: number;
  readonly duration?: number;
  readonly scale: boolean;
}

const defaultSeconds = { compare: 30, scale: 90 };

const demoConfig = fileURLToPath(new URL('../../../config/demo/herald.yaml', import.meta.url));

/** Adds `herald demo`. */
export function registerDemo(program: Command, io: CliIo, finish: (code: ExitCode) => void): void {
  program
    .command('demo')
    .description(
      'run a balancer, five socket servers and 300 clients for a minute, and compare with least connections',
    )
    .option('--json', 'one JSON line per second and rule, the figures last', false)
    .option('--seed <n>', 'seed of the traffic', wholeNumber(1, 2 ** 31), 1)
    .option('--seeds <n>', 'run this many seeds one after another', wholeNumber(1, 100), 1)
    .option('--duration <seconds>', 'length of each run (default: 30, with --scale 90)', wholeNumber(10, 600))
    .option('--scale', 'instead: start and stop node processes by what the work needs, drained first', false)
    .action(async (flags: Flags) => {
      if (flags.scale) finish(await demoScaling(flags, io));
      else await demoPlacing(flags, io);
    });
}

async function demoPlacing({ json, seed, seeds, duration }: Flags, io: CliIo): Promise<void> {
  const all = Array.from({ length: seeds }, (_, index) => seed + index);
  const durationMs = (duration ?? defaultSeconds.compare) * 1000;
  await runDemo({ seeds: all, durationMs, json }, { ...io, startBalancer: balancerStarter(io) });
}

/** Fails when a client was cut off: that it is not is the point. */
async function demoScaling({ json, seed, seeds, duration }: Flags, io: CliIo): Promise<ExitCode> {
  if (seeds !== 1) throw new HeraldError('HERALD_USAGE', '--scale runs one seed: leave --seeds out');
  const durationMs = (duration ?? defaultSeconds.scale) * 1000;
  const loaded = scaled(await loadConfig(demoConfig, {}));
  const startBalancer = async (executor: ScaleExecutor) => startWith(io, loaded, executor);
  const { closed1006 } = await runScaleDemo({ seed, durationMs, json }, { ...io, startBalancer });
  return closed1006 > 0 ? exitCodes.failed : exitCodes.done;
}

/** The demo's pool under the policy whose minutes are seconds. */
function scaled({ config, policies }: BalancerSettings): BalancerSettings {
  const pools = config.pools.map((pool) => ({ ...pool, policy: 'demo-scale' }));
  return { config: { ...config, pools }, policies };
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`must be a whole number from ${least} to ${most}.`);
  };
}

/** Both rules run the same policy, but for the picker. */
function balancerStarter(io: CliIo): (rule: DemoRule) => Promise<Balancer> {
  return async (rule) => {
    const { config, policies } = await loadConfig(demoConfig, {});
    const picker = rule === 'herald' ? 'waterfill' : 'leastConnections';
    const withPicker = [...policies].map(([name, policy]): [string, Policy] => [
      name,
      { ...policy, place: { ...policy.place, picker } },
    ]);
    return startWith(io, { config, policies: new Map(withPicker) });
  };
}

async function startWith(
  { clock }: CliIo,
  loaded: BalancerSettings,
  executor?: ScaleExecutor,
): Promise<Balancer> {
  const parts = { clock, rng: createSystemRng(), log: createSilentLogger(), version: packageVersion() };
  const balancer = new Balancer({ ...parts, loaded, executorOf: () => executor, scaleGraceMs: 0 });
  await balancer.start();
  return balancer;
}
