// A whole balancer inside the test's process, for what a test must reach past its surfaces: its data plane.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Balancer, type BalancerOptions, type Reconfigured } from '../../src/balancer/balancer.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { loadConfig } from '../../src/platform/config.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { createSystemClock } from '../../src/platform/system-clock.ts';
import { writeSetup, type HeraldSetup } from './herald-setup.ts';

/** Starts a balancer for one test, which stops it. `more` takes the place of the machine's clock, or adds to it. */
export async function aBalancer(
  setup: HeraldSetup,
  more: Partial<Pick<BalancerOptions, 'clock' | 'executorOf' | 'sharedStore'>> = {},
): Promise<Balancer> {
  const folder = writeSetup(setup);
  const loaded = await loadConfig(join(folder, 'herald.yaml'), {});
  const balancer = new Balancer({
    loaded,
    clock: createSystemClock(),
    rng: pcg32(1),
    log: createLogger({ ...loaded.config.log, level: 'silent' }),
    version: '0.0.0',
    ...more,
  });
  onTestFinished(async () => {
    await balancer.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  await balancer.start();
  folders.set(balancer, folder);
  return balancer;
}

const folders = new WeakMap<Balancer, string>();

/** Reads the files of a balancer again, its herald.yaml changed by `change`, as `herald serve` does on SIGHUP. */
export async function reloaded(
  balancer: Balancer,
  change: (text: string) => string = (text) => text,
): Promise<Reconfigured> {
  const path = join(folders.get(balancer) ?? '', 'herald.yaml');
  writeFileSync(path, change(readFileSync(path, 'utf8')));
  return balancer.reconfigure(await loadConfig(path, {}));
}
