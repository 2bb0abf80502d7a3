// A room for sources: a clock that the test moves, so that intervals and timeouts pass when the test says so.
import { createSources, type Sources, type SourcesParts } from '../../../src/agent/sources/sources.ts';
import type { Source, SourceReading } from '../../../src/agent/sources/source.ts';
import type { AgentConfig, SourceConfig } from '../../../src/policy/agent-config.ts';
import { parseSelector } from '../../../src/protocol/prometheus-text.ts';
import { parseJsonPath } from '../../../src/protocol/json-path.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

export const intervalMs = 1000;
export const timeoutMs = 400;

/** Sources that run, by signal. */
export interface SourcesRoom {
  readonly sources: Sources;
  readonly clock: ManualClock;
  /** Moves time on by one interval, or by as much as is said. */
  pass(ms?: number): void;
  read(signal?: string): SourceReading;
  /** Waits for a value. */
  value(value: number, signal?: string): Promise<void>;
  /** Waits for a reason that holds the text, and gives it. */
  missing(text: string, signal?: string): Promise<string>;
}

/** Opens and starts the sources. */
export async function startSources(
  configs: Readonly<Record<string, SourceConfig>>,
  parts: Partial<Pick<SourcesParts, 'statsdBind'>> = {},
): Promise<SourcesRoom> {
  const clock = new ManualClock();
  const list: AgentConfig['sources'] = Object.entries(configs).map(([signal, source]) => ({
    signal,
    source,
  }));
  const sources = createSources({ clock, intervalMs, sources: list, statsdBind: undefined, ...parts });
  const bySignal = new Map<string, Source>(await sources.open());
  for (const source of bySignal.values()) source.start();
  const read = (signal = 's') => bySignal.get(signal)?.read(clock.nowMs()) ?? { missing: 'no such signal' };
  const last = (signal?: string) => `last reading: ${JSON.stringify(read(signal))}`;
  return {
    sources,
    clock,
    pass: (ms = intervalMs) => clock.advance(ms),
    read,
    async value(value, signal) {
      const holds = () => {
        const reading = read(signal);
        return 'value' in reading && reading.value === value;
      };
      await until(holds, () => `no ${value}; ${last(signal)}`);
    },
    async missing(text, signal) {
      let reason = '';
      const holds = () => {
        const reading = read(signal);
        reason = 'missing' in reading ? reading.missing : '';
        return reason.includes(text);
      };
      await until(holds, () => `no ${text}; ${last(signal)}`);
      return reason;
    },
  };
}

const http = { authorization: undefined, timeoutMs, maxBodyBytes: 64 * 1024 };

/** A gauge at a path of a JSON document. */
export function aJson(url: string, path: string, more: object = {}): SourceConfig {
  const parsed = parseJsonPath(path);
  if (!('value' in parsed)) throw new Error(parsed.message);
  return { kind: 'json', url: new URL(url), http, path: parsed.value, as: 'gauge', scale: 1, ...more };
}

/** The sum of series of a Prometheus page as a gauge. */
export function aPrometheus(url: string, selector: string, more: object = {}): SourceConfig {
  const parsed = parseSelector(selector);
  if (!('value' in parsed)) throw new Error(parsed.message);
  const base = {
    kind: 'prometheus',
    url: new URL(url),
    http,
    as: 'gauge',
    scale: 1,
    combine: 'sum',
  } as const;
  return { ...base, selector: parsed.value, ...more };
}

/** Limits as the sources of this room have them, but for what is said. */
export function limits(more: object): object {
  return { http: { ...http, ...more } };
}
