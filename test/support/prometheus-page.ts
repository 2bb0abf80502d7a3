// Reads a page of the Prometheus text format, strictly enough to find what a scraper would refuse.

export interface PrometheusPage {
  /** Type by metric name. */
  readonly types: ReadonlyMap<string, string>;
  readonly helps: ReadonlyMap<string, string>;
  /** Value by series as written, such as `up{job="a"}`. */
  readonly samples: ReadonlyMap<string, number>;
}

/** Throws on a line that is none, a second HELP, TYPE or sample of the same, and a sample of an undeclared metric. */
export function readPage(text: string): PrometheusPage {
  const types = new Map<string, string>();
  const helps = new Map<string, string>();
  const samples = new Map<string, number>();
  if (!text.endsWith('\n')) throw new Error('no line feed at the end');
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const meta = /^# (HELP|TYPE) ([a-z_0-9]+) (.+)$/.exec(line);
    if (meta !== null) {
      put(meta[1] === 'HELP' ? helps : types, meta[2] ?? '', meta[3] ?? '');
      continue;
    }
    const sample =
      /^([a-z_0-9]+)((?:\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})?) (-?[\d.]+(?:e[+-]?\d+)?|Nan)$/.exec(
        line,
      );
    // prom-client writes Nan where its event-loop histogram is still empty; ours never do.
    if (sample?.[3] === 'Nan' && line.startsWith('herald_')) throw new Error(`no number: ${line}`);
    if (sample === null) throw new Error(`not a sample: ${line}`);
    const family = (sample[1] ?? '').replace(/_(bucket|sum|count)$/, '');
    if (!types.has(sample[1] ?? '') && !types.has(family)) throw new Error(`undeclared: ${line}`);
    put(samples, `${sample[1]}${sample[2]}`, Number(sample[3]));
  }
  return { types, helps, samples };
}

function put<Value>(map: Map<string, Value>, key: string, value: Value): void {
  if (map.has(key)) throw new Error(`twice: ${key}`);
  map.set(key, value);
}
