// What is looked at all the time while faults come and go.
import { setTimeout as sleep } from 'node:timers/promises';
import type { PeersAnswer } from '../../src/protocol/peering.ts';
import type { ChaosBalancer } from './balancer.ts';
import type { House } from './house.ts';
import { lookAtAll, type Look } from './look.ts';

const lookEveryMs = 500;
// A leader's lease, and a second for whoever looks.
const leaseMs = 6000;
const mostMiB = 400;

/** The highest that was seen of each balancer. */
export interface Peak {
  readonly residentMiB: number;
  readonly descriptors: number;
}

/** Looks until `stop`. */
export class Sampler {
  readonly #house: House;
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;
  #apartUntilMs = 0;
  looks = 0;
  twoLeaders = 0;
  readonly peaks = new Map<string, Peak>();

  constructor(house: House) {
    this.#house = house;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#once();
      await sleep(lookEveryMs, undefined, { signal: this.#stop.signal }).catch(() => {});
    }
  }

  async #once(): Promise<void> {
    const { balancers, desk, journal } = this.#house;
    const { generation } = desk;
    if (desk.apart !== undefined) this.#apartUntilMs = journal.nowMs() + leaseMs;
    const looks = await lookAtAll(balancers);
    this.looks += 1;
    if (desk.generation === generation) desk.see(looks);
    await this.#checkLeaders(looks);
    for (const balancer of balancers) this.#checkUse(balancer);
    for (const balancer of balancers) this.#checkAlive(balancer);
  }

  /** Two of one look may be one after the other: the first is asked again, after the second has answered. */
  async #checkLeaders(looks: readonly Look[]): Promise<void> {
    const { balancers, verdicts, desk, journal } = this.#house;
    const leaders = looks.filter(({ isLeader }) => isLeader).map(({ id }) => id);
    if (looks.length === 0) return;
    let areTwo = false;
    if (leaders.length > 1) {
      const again = await Promise.all(
        balancers
          .filter(({ id }) => leaders.includes(id))
          .map((each) => each.get<PeersAnswer>('/v1/peers').catch(() => undefined)),
      );
      areTwo = again.filter((each) => each?.isLeader === true).length > 1;
    }
    if (areTwo) this.twoLeaders += 1;
    const isExplained = desk.apart !== undefined || journal.nowMs() < this.#apartUntilMs;
    verdicts.check('oneLeader', !areTwo || isExplained, () => `${leaders.join(' and ')} lead`);
  }

  #checkUse(balancer: ChaosBalancer): void {
    const usage = balancer.usage();
    if (usage === undefined) return;
    const peak = this.peaks.get(balancer.id) ?? { residentMiB: 0, descriptors: 0 };
    this.peaks.set(balancer.id, {
      residentMiB: Math.max(peak.residentMiB, usage.residentMiB),
      descriptors: Math.max(peak.descriptors, usage.descriptors),
    });
    const { verdicts } = this.#house;
    verdicts.check('memory', usage.residentMiB < mostMiB, () => `${balancer.id}: ${usage.residentMiB} MiB`);
  }

  #checkAlive({ id, hasCrashed }: ChaosBalancer): void {
    this.#house.verdicts.check('serves', !hasCrashed, () => `${id} has ended by itself`);
  }
}
