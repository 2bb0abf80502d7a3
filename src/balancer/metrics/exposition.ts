// The Prometheus text format for series that exist only while a page is written. Written by hand, because
// prom-client takes 130 ms of the relay's event loop for 1,000 nodes (a hash and an object for each series).
import type { MetricEntry } from './metric-entry.ts';

/** A page under construction. `Name` is one of the catalogue's metrics. */
export interface Exposition<Name extends string> {
  /** Adds one sample. `labels` is what `labelText` made; a value that is not finite is left out. */
  add(name: Name, labels: string, value: number | undefined): void;
  /** The page: every metric of the catalogue with HELP and TYPE, with or without samples. */
  text(): string;
}

/** An empty page. */
export function createExposition<Name extends string>(
  catalogue: Readonly<Record<Name, MetricEntry>>,
): Exposition<Name> {
  const samples = new Map<Name, string[]>();
  for (const name of Object.keys(catalogue) as Name[]) samples.set(name, []);
  return {
    add(name, labels, value) {
      if (value === undefined || !Number.isFinite(value)) return;
      samples.get(name)?.push(`${name}{${labels}} ${value}`);
    },
    text() {
      const blocks = [...samples].map(([name, lines]) => {
        const { help, type } = catalogue[name];
        return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n');
      });
      return `${blocks.join('\n\n')}\n`;
    },
  };
}

/** `a="x",b="y"`, escaped as the format wants it. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
