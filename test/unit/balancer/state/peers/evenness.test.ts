// Four balancers against one, on one stream of clients: 8 nodes, 60 connections/s that live 10 s on average and cost
// between nothing and several times the mean; reports once a second. Time-average of max ÷ mean load over 40 s.
import { expect, it } from 'vitest';
import type { Lease } from '../../../../../src/balancer/state/ports.ts';
import { pcg32 } from '../../../../../src/core/rng.ts';
import { anOpenPolicy } from '../../../../support/a-policy.ts';
import { aPeerFleet, type FleetPeer } from '../../../../support/a-peer-fleet.ts';

const nodes = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
const stepMs = 50;
const seconds = 60;
const arrivalsPerStep = 3;
const meanLifeMs = 10_000;
const meanCost = 0.005;

async function imbalanceOf(balancers: number, isShared: boolean, seed: number): Promise<number> {
  const rng = pcg32(seed);
  const fleet = aPeerFleet({ nodes, policy: anOpenPolicy({ admit: { fillTo: 10 } }) });
  const peers: FleetPeer[] = [];
  for (let index = 0; index < balancers; index += 1) peers.push(await fleet.join(`lb-${index}`));
  if (!isShared) for (const peer of peers) await peer.stop();
  const open: { readonly lease: Lease; readonly cost: number; readonly untilMs: number }[] = [];
  const load = () => nodes.map((id) => sumOf(open.filter(({ lease }) => lease.node.id === id)));
  let sum = 0;
  let samples = 0;
  for (let nowMs = 0; nowMs < seconds * 1000; nowMs += stepMs) {
    for (let arrival = 0; arrival < arrivalsPerStep; arrival += 1) {
      const lease = peers[Math.floor(rng.next() * balancers)]?.place();
      if (lease === undefined) throw new Error('nobody is refused here');
      lease.opened();
      const cost = -meanCost * Math.log(1 - rng.next());
      open.push({ lease, cost, untilMs: nowMs - meanLifeMs * Math.log(1 - rng.next()) });
    }
    for (const each of open.filter(({ untilMs }) => untilMs <= nowMs)) {
      each.lease.release();
      open.splice(open.indexOf(each), 1);
    }
    await fleet.run(stepMs);
    if (nowMs % 1000 !== 0) continue;
    const loads = load();
    nodes.forEach((id, index) => {
      // Shared: each agent knows one balancer. Not shared: it tells all, or they would know nothing.
      const heard = isShared ? [peers[index % balancers]] : peers;
      const connections = open.filter(({ lease }) => lease.node.id === id).length;
      const seq = nowMs / 1000 + 1;
      for (const peer of heard)
        peer?.report({ id, seq, connections, signals: { cpu: 0.8 * (loads[index] ?? 0) } });
    });
    if (nowMs < 20_000) continue;
    sum += Math.max(...loads) / (loads.reduce((total, each) => total + each, 0) / nodes.length);
    samples += 1;
  }
  return sum / samples;
}

function sumOf(connections: readonly { readonly cost: number }[]): number {
  return connections.reduce((total, { cost }) => total + cost, 0);
}

it('four that share level a fleet as well as one, and better than four that do not', async () => {
  const mean = async (balancers: number, isShared: boolean) => {
    let sum = 0;
    for (const seed of [1, 2, 3]) sum += await imbalanceOf(balancers, isShared, seed);
    return sum / 3;
  };
  const one = await mean(1, true);
  const shared = await mean(4, true);
  const apart = await mean(4, false);
  expect(shared).toBeLessThan(one * 1.05);
  expect(shared).toBeLessThan(apart);
});
