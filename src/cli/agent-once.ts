// `herald agent --once`: samples once and shows what would be reported, and what is missing and why.
import { agentSettings } from '../agent/sidecar/agent-settings.ts';
import { ReplaceableMeasuring, startMeasuring } from '../agent/sidecar/measuring.ts';
import { createMissingSignals } from '../agent/sidecar/missing-signals.ts';
import { createTraffic } from '../agent/observers/traffic.ts';
import { createSampler, type Sample } from '../agent/sampler.ts';
import { builtinSignals, isBuiltinSignal } from '../core/signal.ts';
import { createSilentLogger } from '../platform/logger.ts';
import type { AgentConfig } from '../policy/agent-config.ts';
import { encodeReport } from '../protocol/report.ts';
import type { CliIo } from './io.ts';
import { readAgentConfig } from './read-agent-config.ts';
import { sidecarParts } from './sidecar-parts.ts';
import { renderTable } from './table.ts';

interface Looked {
  readonly sample: Sample;
  /** By signal. */
  readonly missing: ReadonlyMap<string, string>;
}

/** Prints one sample of two intervals: rates need two looks at a source. Nothing is sent to anybody. */
export async function showOnce(path: string, io: CliIo, output: 'table' | 'json'): Promise<void> {
  const { config, warnings } = await readAgentConfig(path, io);
  for (const warning of warnings) io.stderr.write(`warning: ${warning}\n`);
  const looked = await look(config, io);
  io.stdout.write(output === 'json' ? asJson(looked) : asTable(looked, config));
}

async function look(config: AgentConfig, io: CliIo): Promise<Looked> {
  const { clock, root, machine, openSources, hostname } = sidecarParts(io, createSilentLogger());
  const { note, now: missing } = createMissingSignals(clock, () => {});
  const traffic = createTraffic();
  const tellPressure = (where: string | undefined): void => {
    if (where === undefined) note('pressure', 'this kernel tells none');
  };
  const parts = { clock, root, machine, openSources, traffic, note, tellPressure };
  const measuring = await startMeasuring(config, parts);
  const sampler = createSampler({
    clock,
    traffic,
    sensors: { sidecar: new ReplaceableMeasuring(measuring) },
    signals: [],
    identity: { pool: config.pool, node: agentSettings(config, hostname).node, epoch: 'once' },
    onLeftOut: note,
  });
  await wait(config.intervalMs, io);
  sampler.begin();
  await wait(config.intervalMs, io);
  const sample = sampler.sample();
  sampler.stop();
  await measuring.stop();
  return { sample, missing };
}

function wait(spanMs: number, { clock, signal }: CliIo): Promise<void> {
  return new Promise((resolve, reject) => {
    clock.schedule(spanMs, resolve);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

function asJson({ sample, missing }: Looked): string {
  const report = encodeReport({ ...sample.report, ageMs: 0 });
  return `${JSON.stringify({ report, missing: Object.fromEntries(missing) }, undefined, 2)}\n`;
}

function asTable({ sample, missing }: Looked, config: AgentConfig): string {
  const { pool, node, connections, signals } = sample.report;
  const where = node.address ?? `port ${node.port}`;
  const isCounted = config.connectionPorts.length > 0 && !missing.has('connections');
  const counted = isCounted ? `${connections} connections` : 'connections not counted';
  const head = `node ${node.id} of pool ${pool} at ${where} · ${counted}`;
  const present = Object.entries(signals).map(
    ([signal, value]) => [signal, shownValue(signal, value)] as const,
  );
  const absent = [...missing].map(([signal, reason]) => [signal, `missing: ${reason}`] as const);
  const lines = renderTable(
    [
      { title: 'SIGNAL', cell: ([signal]: readonly [string, string]) => signal },
      { title: 'VALUE', cell: ([, value]: readonly [string, string]) => value },
    ],
    [...present, ...absent],
  );
  return `${[head, ...lines].join('\n')}\n`;
}

function shownValue(signal: string, value: number): string {
  const unit = isBuiltinSignal(signal) ? builtinSignals[signal].unit : undefined;
  if (unit === 'fraction' || signal.endsWith('Pressure')) return `${Math.round(value * 1000) / 10}%`;
  if (unit === 'milliseconds') return `${value} ms`;
  return unit === 'messagesPerSecond' ? `${value}/s` : String(value);
}
