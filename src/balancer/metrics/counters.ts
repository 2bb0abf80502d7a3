// What is counted as it happens: a number for each set of labels. Rendered by a page, and told to the main process by a
// worker.
import type { CountedSeries } from '../../protocol/workers.ts';
import type { MetricEntry } from './metric-entry.ts';
import { labelText, type Exposition } from './exposition.ts';

type Labels = Readonly<Record<string, string>>;

/** A way to count. */
export interface CountUp {
  /** Adds `by`, 0 or more; 1 when left out. */
  inc(labels: Labels, by?: number): void;
}

interface Series {
  readonly name: string;
  readonly labels: Labels;
  value: number;
}

/** Counters of a catalogue. */
export class Counters<Name extends string> {
  readonly #catalogue: Readonly<Record<Name, MetricEntry>>;
  readonly #series = new Map<string, Series>();
  /** What other processes have told last, by process and series. */
  readonly #heard = new Map<string, Map<string, number>>();

  constructor(catalogue: Readonly<Record<Name, MetricEntry>>) {
    this.#catalogue = catalogue;
  }

  counter(name: Name): CountUp {
    return { inc: (labels, by = 1) => this.#add(name, labels, by) };
  }

  /** Everything that has been counted. */
  series(): readonly CountedSeries[] {
    return [...this.#series.values()].map(({ name, labels, value }) => [name, labels, value]);
  }

  /** Adds what another process has counted since it was last heard; one that begins anew counts from 0. */
  absorb(process: string, series: readonly CountedSeries[]): void {
    const before = this.#heard.get(process) ?? new Map<string, number>();
    const heard = new Map<string, number>();
    for (const [name, labels, value] of series) {
      const key = keyOf(name, labels);
      heard.set(key, value);
      if (this.#isKnown(name)) this.#add(name, labels, Math.max(0, value - (before.get(key) ?? 0)));
    }
    this.#heard.set(process, heard);
  }

  /** Adds a sample for each. */
  addTo(page: Exposition<Name>): void {
    for (const { name, labels, value } of this.#series.values())
      if (this.#isKnown(name)) page.add(name, labelText(labels), value);
  }

  #isKnown(name: string): name is Name {
    return Object.hasOwn(this.#catalogue, name);
  }

  #add(name: Name, labels: Labels, by: number): void {
    const key = keyOf(name, labels);
    const known = this.#series.get(key);
    if (known !== undefined) known.value += by;
    else this.#series.set(key, { name, labels, value: by });
  }
}

function keyOf(name: string, labels: Labels): string {
  let key = name;
  for (const label in labels) key += `\0${label}\0${labels[label]}`;
  return key;
}
