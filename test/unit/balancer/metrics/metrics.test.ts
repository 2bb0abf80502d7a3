import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { boundedLabel } from '../../../../src/balancer/metrics/bounded-label.ts';
import { metricCatalogue, metricsReference } from '../../../../src/balancer/metrics/catalogue.ts';
import { createExposition, labelText } from '../../../../src/balancer/metrics/exposition.ts';
import { createMetrics, type Metrics } from '../../../../src/balancer/metrics/metrics.ts';
import type { Scaling } from '../../../../src/protocol/scaling.ts';
import { anIdentity } from '../../../support/a-node.ts';
import type { PolicyParts } from '../../../support/a-policy.ts';
import { anOpenRoom, type Room } from '../../../support/a-room.ts';
import { anUnknownScaling, aScaling } from '../../../support/a-scaling.ts';
import { readPage, type PrometheusPage } from '../../../support/prometheus-page.ts';

interface ScrapedRoom extends Room {
  readonly metrics: Metrics;
  page(): Promise<PrometheusPage>;
}

function aScrapedRoom(parts: PolicyParts = {}, scaling: Scaling = aScaling()): ScrapedRoom {
  const room = anOpenRoom(parts);
  const { registry, clock } = room;
  onTestFinished(() => registry.stop());
  const metrics = createMetrics({
    pools: registry.pools,
    clock,
    relayForms: () => ({ form: 'fast', tls: 'plain' }),
    version: '1.2.3',
    scalingOf: (pool) => ({ ...scaling, pool }),
  });
  return { ...room, metrics, page: async () => readPage((await metrics.scrape()).text) };
}

/** Samples of recommendations, by what stands behind `herald_scale_`. */
async function scaleSamples(scaling: Scaling): Promise<Record<string, number>> {
  const { samples } = await aScrapedRoom({}, scaling).page();
  const own = [...samples].filter(([series]) => series.startsWith('herald_scale_'));
  return Object.fromEntries(own.map(([series, value]) => [series.slice('herald_scale_'.length), value]));
}

describe('recommendations', () => {
  it('are gauges of each pool', async () => {
    const scaling = aScaling({ desiredNodes: 5, wantedNodes: 6, startingNodes: 1, forecastLoad: 2.5 });
    expect(await scaleSamples(scaling)).toEqual({
      'known{pool="chat"}': 1,
      'desired_nodes{pool="chat"}': 5,
      'wanted_nodes{pool="chat"}': 6,
      'total_load{pool="chat"}': 1.8,
      'forecast_load{pool="chat"}': 2.5,
      'capacity{pool="chat"}': 3,
      'target{pool="chat"}': 0.6,
      'nodes{pool="chat",phase="serving"}': 2,
      'nodes{pool="chat",phase="starting"}': 1,
    });
  });

  it('that are not known are absent, not 0: an HPA would take 0 for idle', async () => {
    expect(await scaleSamples(anUnknownScaling())).toEqual({
      'known{pool="chat"}': 0,
      'target{pool="chat"}': 0.6,
      'nodes{pool="chat",phase="serving"}': 3,
      'nodes{pool="chat",phase="starting"}': 0,
    });
  });

  it('make an HPA with AverageValue want what is wanted: total load ÷ target, rounded up', async () => {
    const samples = await scaleSamples(aScaling({ totalLoad: 2.95, wantedNodes: 5 }));
    const replicas = (samples['total_load{pool="chat"}'] ?? NaN) / (samples['target{pool="chat"}'] ?? NaN);
    expect(Math.ceil(replicas)).toBe(samples['wanted_nodes{pool="chat"}']);
  });
});

describe('the page', () => {
  it('declares every metric of the catalogue, with its help and type', async () => {
    const { page } = aScrapedRoom();
    const { types, helps } = await page();
    for (const [name, { type, help }] of Object.entries(metricCatalogue))
      expect([name, types.get(name), helps.get(name)]).toEqual([name, type, help]);
    expect(types.get('process_cpu_seconds_total')).toBe('counter');
  });

  it('leaves out the defaults that promtool refuses', async () => {
    const { types } = await aScrapedRoom().page();
    expect([...types.keys()].filter((name) => /nodejs_active_.*_total/.test(name))).toEqual([]);
  });

  it('says what runs', async () => {
    const { samples } = await aScrapedRoom().page();
    expect(samples.get('herald_build_info{version="1.2.3"}')).toBe(1);
    expect(samples.get('herald_relay_form{form="fast",tls="plain"}')).toBe(1);
  });

  it('counts goodbyes of a node by kind and outcome, and loses them with the node', async () => {
    const { registry, page } = aScrapedRoom();
    registry.addStatic('chat', anIdentity('a'));
    const { goodbyes } = registry.node('a').node;
    goodbyes.add('websocket', 'closed');
    goodbyes.add('websocket', 'closed');
    goodbyes.add('sse', 'cut');
    const series = (kind: string, outcome: string) =>
      `herald_goodbyes_total{pool="chat",node="a",kind="${kind}",outcome="${outcome}"}`;
    const { samples } = await page();
    expect([samples.get(series('websocket', 'closed')), samples.get(series('sse', 'cut'))]).toEqual([2, 1]);
    expect(samples.has(series('websocket', 'cut'))).toBe(false);
    registry.remove('a');
    expect((await page()).samples.has(series('sse', 'cut'))).toBe(false);
  });

  it('is the same for two scrapes at once', async () => {
    const { metrics } = aScrapedRoom();
    const [one, two] = await Promise.all([metrics.scrape(), metrics.scrape()]);
    expect(one.text).toBe(two.text);
    metrics.countReport('accepted');
    expect((await metrics.scrape()).text).not.toBe(one.text);
  });

  it('has no number that is not one', () => {
    const page = createExposition({ herald_x: { type: 'gauge', labels: ['a'], help: 'X.' } });
    page.add('herald_x', labelText({ a: 'q"\\\n' }), 1);
    page.add('herald_x', 'a="nan"', NaN);
    page.add('herald_x', 'a="inf"', Infinity);
    page.add('herald_x', 'a="none"', undefined);
    expect(page.text()).toBe('# HELP herald_x X.\n# TYPE herald_x gauge\nherald_x{a="q\\"\\\\\\n"} 1\n');
  });
});

describe('nodes', () => {
  it('show what placement knows of them', async () => {
    const { clock, report, page } = aScrapedRoom();
    const signals = { cpu: 0.4, eventLoopLag: 20, queueDelayMs: 5, unheardOf: 1 };
    report({ id: 'a', signals });
    clock.advance(1500);
    const { samples } = await page();
    const of = (name: string, more = '') => samples.get(`${name}{pool="chat",node="a"${more}}`);
    expect(of('herald_node_utilization')).toBeCloseTo(0.5);
    expect(of('herald_node_share')).toBe(1);
    expect(of('herald_node_score')).toBeGreaterThan(0.5);
    expect(of('herald_node_report_age_seconds')).toBe(1.5);
    expect(of('herald_node_signal', ',signal="cpu"')).toBe(0.4);
    expect(of('herald_node_signal', ',signal="eventLoopLag"')).toBe(0.02);
    expect(of('herald_node_signal', ',signal="queueDelayMs"')).toBe(5);
    expect(of('herald_node_signal', ',signal="unheardOf"')).toBeUndefined();
    expect(of('herald_node_state', ',state="eligible"')).toBe(1);
    expect(of('herald_node_state', ',state="drain"')).toBe(0);
    expect(samples.get('herald_imbalance_ratio{pool="chat"}')).toBe(1);
    expect(samples.get('herald_pool_panic{pool="chat"}')).toBe(0);
  });

  it('show what was learned of them and of their pool, and nothing where nothing was', async () => {
    const { clock, registry, report, page } = aScrapedRoom();
    registry.addStatic('chat', anIdentity('silent'));
    const learned = (names: Iterable<string>) =>
      [...names].filter((name) => /herald_(node|pool)_.*(cost|slope|auto|idle)/.test(name));
    expect(learned((await page()).samples.keys())).toEqual([]);
    for (let second = 0; second < 20; second += 1) {
      clock.advance(1000);
      const connections = 10 + ((second * 37) % 90);
      report({ id: 'a', connections, signals: { cpu: 0.0008 * connections } });
    }
    const { samples } = await page();
    const slope = samples.get('herald_node_connection_slope_ratio{pool="chat",node="a"}');
    expect(slope).toBeCloseTo(0.001, 3);
    expect(samples.get('herald_node_connection_slope_ratio{pool="chat",node="silent"}')).toBeGreaterThan(0);
    expect(samples.get('herald_pool_connection_slope_ratio{pool="chat"}')).toBeCloseTo(0.001, 3);
    expect(samples.get('herald_pool_idle_utilization_ratio{pool="chat",by="connections"}')).toBeLessThan(
      0.12,
    );
    const pairs = (node: string) =>
      samples.get(`herald_node_learned_pairs{pool="chat",node="${node}",by="connections"}`);
    expect(pairs('a')).toBeGreaterThan(10);
    expect(pairs('silent')).toBe(0);
    // No signal of this policy says auto.
    expect(learned(samples.keys()).some((name) => name.includes('auto'))).toBe(false);
  });

  it('count connections, placements, failures and traffic', async () => {
    const { registry, page, ...room } = aScrapedRoom();
    registry.addStatic('chat', anIdentity('a'));
    const place = () => {
      const lease = room.place();
      if (lease === undefined) throw new Error('nothing placed');
      return lease;
    };
    const lease = place();
    lease.opened();
    lease.toNode(3, 300);
    lease.toClient(4, 4000);
    place().failed('refused');
    place();
    const { samples } = await page();
    const of = (name: string, more = '') => samples.get(`${name}{pool="chat",node="a"${more}}`);
    expect(of('herald_connections', ',kind="open"')).toBe(1);
    expect(of('herald_connections', ',kind="dialling"')).toBe(1);
    expect(of('herald_placements_total')).toBe(3);
    expect(of('herald_node_failures_total')).toBe(1);
    expect(of('herald_messages_total', ',direction="toNode"')).toBe(3);
    expect(of('herald_messages_total', ',direction="toClient"')).toBe(4);
    expect(of('herald_bytes_total', ',direction="toNode"')).toBe(300);
    expect(of('herald_bytes_total', ',direction="toClient"')).toBe(4000);
  });

  it('tell who waits for a place, and what became of those who did', async () => {
    const { clock, registry, page, placement } = aScrapedRoom({
      admit: { ratePerSecond: 1, burstMs: 0, maxWaitMs: 2000 },
    });
    registry.addStatic('chat', anIdentity('a'));
    const waiter = { placed: () => {}, refused: () => {} };
    const come = (affinityNode: string) =>
      placement.place({ pool: 'chat', affinityNode, excluded: new Set() }, waiter);
    come('');
    come('gone');
    const leaver = come('');
    const of = async (name: string, more = '') => (await page()).samples.get(`${name}{pool="chat"${more}}`);
    expect(await of('herald_admission_waiting', ',rank="returning"')).toBe(1);
    expect(await of('herald_admission_waiting', ',rank="new"')).toBe(1);
    expect(await of('herald_admission_waiting', ',rank="retry"')).toBe(0);
    expect(await of('herald_admission_held')).toBe(0);
    expect(await of('herald_admission_overfilled')).toBe(0);
    if ('wait' in leaver) leaver.wait?.cancel();
    clock.advance(1500);
    expect(await of('herald_admission_waits_total', ',outcome="placed"')).toBe(1);
    expect(await of('herald_admission_waits_total', ',outcome="gone"')).toBe(1);
    expect(await of('herald_admission_waits_total', ',outcome="refused"')).toBe(0);
    expect(await of('herald_admission_wait_seconds_total')).toBe(1);
  });

  it('without reports have no utilization and no age, and their pool has no imbalance', async () => {
    const { registry, page } = aScrapedRoom();
    registry.addStatic('chat', anIdentity('a'));
    const names = [...(await page()).samples.keys()].filter((name) => name.startsWith('herald_'));
    expect(names.filter((name) => /utilization|report_age|signal|imbalance/.test(name))).toEqual([]);
    expect(names).toContain('herald_node_share{pool="chat",node="a"}');
  });

  it('take their series with them', async () => {
    const { registry, report, page } = aScrapedRoom();
    report({ id: 'a' });
    expect([...(await page()).samples.keys()].some((name) => name.includes('node="a"'))).toBe(true);
    registry.remove('a');
    expect([...(await page()).samples.keys()].some((name) => name.includes('node="a"'))).toBe(false);
  });
});

describe('events', () => {
  it('are counted by outcome', async () => {
    const { metrics, page } = aScrapedRoom();
    metrics.countReport('accepted');
    metrics.countReport('HERALD_REPORT_STALE');
    metrics.countReload('refused');
    metrics.countRefusal('chat', 'HERALD_NO_NODE');
    metrics.countRefusal('no-such-pool', 'HERALD_ROUTE_UNKNOWN');
    metrics.countRelayEnd('idle');
    metrics.countStateWrite('failed');
    const { samples } = await page();
    expect(samples.get('herald_reports_total{outcome="accepted"}')).toBe(1);
    expect(samples.get('herald_reports_total{outcome="HERALD_REPORT_STALE"}')).toBe(1);
    expect(samples.get('herald_policy_reloads_total{outcome="refused"}')).toBe(1);
    expect(samples.get('herald_refusals_total{pool="chat",code="HERALD_NO_NODE"}')).toBe(1);
    expect(samples.get('herald_refusals_total{pool="",code="HERALD_ROUTE_UNKNOWN"}')).toBe(1);
    expect(samples.get('herald_relay_ends_total{reason="idle"}')).toBe(1);
    expect(samples.get('herald_state_writes_total{outcome="failed"}')).toBe(1);
  });

  it('do not grow the register without end', () => {
    const label = boundedLabel(2);
    expect(['a', 'b', 'c', 'a', 'd'].map(label)).toEqual(['a', 'b', 'other', 'a', 'other']);
  });
});

describe('the reference page', () => {
  it('is what the catalogue says', () => {
    const file = join(import.meta.dirname, '../../../../docs/reference/metrics.md');
    expect(readFileSync(file, 'utf8')).toBe(metricsReference());
  });

  it('names every metric once, with a help that ends like a sentence', () => {
    const page = metricsReference();
    for (const [name, { help, type }] of Object.entries(metricCatalogue)) {
      expect(page.split(`| \`${name}\` |`)).toHaveLength(2);
      expect(help).toMatch(/\.$/);
      expect(name.endsWith('_total')).toBe(type === 'counter');
    }
  });
});
