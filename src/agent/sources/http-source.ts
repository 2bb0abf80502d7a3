// A signal that is read from a page: a number at a path of a JSON document, or series of a Prometheus page.
import { formatPath } from '../../policy/problem.ts';
import type { SourceConfig } from '../../policy/agent-config.ts';
import { readDecimal } from '../../protocol/decimal.ts';
import { shown } from '../../protocol/field-checks.ts';
import { readAtPath } from '../../protocol/json-path.ts';
import { compileSelector } from '../../protocol/prometheus-selector.ts';
import { findSeries } from '../../protocol/prometheus-text.ts';
import type { HttpPoller, PageReader } from './http-poller.ts';
import type { Page } from './page.ts';
import { about, combiners, createSignalValue, type Look, seconds, single } from './signal-value.ts';
import type { Source, SourceReading } from './source.ts';

/** A source that asks by HTTP. */
export type HttpSourceConfig = Extract<SourceConfig, { readonly kind: 'json' | 'prometheus' }>;

/** What a signal from a page is made of. */
export interface HttpSourceParts {
  readonly config: HttpSourceConfig;
  readonly poller: HttpPoller;
  readonly intervalMs: number;
}

/** How many intervals the last answer holds when none follows: one lost request makes no hole in the reports. */
export const answerHoldsIntervals = 3;

type Extracted = Look | { readonly missing: string };

/** Makes the source of one signal; several may share a poller. */
export function createHttpSource({ config, poller, intervalMs }: HttpSourceParts): Source {
  const subject = `GET ${shownUrl(config.url)}`;
  const holdsMs = answerHoldsIntervals * intervalMs;
  const extract = config.kind === 'json' ? jsonReader(config) : prometheusReader(config);
  const combine = config.kind === 'prometheus' ? combiners[config.combine] : combiners.sum;
  const value = createSignalValue({ rule: config, combine, maxSpanMs: holdsMs });
  let reading: SourceReading = about(subject, { missing: 'not answered yet' });
  let answeredAtMs: number | undefined;
  let failure = 'a request is under way';
  const reader: PageReader = {
    page(page, atMs) {
      const extracted = extract(page);
      reading = about(subject, 'missing' in extracted ? extracted : value.next(extracted, atMs));
      answeredAtMs = atMs;
      failure = 'a request is under way';
    },
    refused(reason) {
      reading = about(subject, { missing: reason });
      answeredAtMs = undefined;
    },
    silent(reason) {
      failure = reason;
      if (answeredAtMs === undefined) reading = about(subject, { missing: reason });
    },
  };
  return {
    start: () => poller.add(reader),
    read(nowMs) {
      if (answeredAtMs === undefined || nowMs - answeredAtMs <= holdsMs) return reading;
      const age = seconds(nowMs - answeredAtMs);
      return about(subject, { missing: `${failure}; the last answer came ${age} ago` });
    },
    stop: () => poller.remove(reader),
  };
}

function jsonReader({ path }: Extract<HttpSourceConfig, { kind: 'json' }>): (page: Page) => Extracted {
  const where = path.length === 0 ? 'the document' : formatPath(path).slice(0, 100);
  return (page) => {
    const parsed = page.json();
    if (parsed === undefined) {
      const begins = page.text === '' ? 'is empty' : `begins with ${shown(page.text)}`;
      return { missing: `the body is not JSON: its type is ${page.contentType} and it ${begins}` };
    }
    const found = readAtPath(parsed.document, path);
    if ('missing' in found) return found;
    const number = numberIn(found.value);
    return number === undefined
      ? { missing: `${where} is ${shown(found.value)}, not a number` }
      : single(number);
  };
}

/** JSON cannot say what some counters hold, so many write "12.5": a text that is a decimal number counts as one. */
function numberIn(value: unknown): number | undefined {
  if (typeof value === 'string') return readDecimal(value);
  return typeof value === 'number' ? value : undefined;
}

function prometheusReader({
  selector,
}: Extract<HttpSourceConfig, { kind: 'prometheus' }>): (page: Page) => Extracted {
  const matcher = compileSelector(selector);
  const wanted = `${selector.name}${selector.labels.length === 0 ? '' : '{...}'}`;
  return ({ text, contentType }) => {
    const found = findSeries(text, matcher);
    if ('problem' in found) return { missing: `${found.problem}, looking for ${wanted}` };
    if (found.values.size > 0) return found.values;
    if (found.named > 0)
      return { missing: `no series matches ${wanted}: ${found.named} have the name; check the labels` };
    const size = `${text.length} characters of type ${contentType}`;
    return { missing: `no series is named ${selector.name}: 0 seen in ${size}; check the name` };
  };
}

/** The URL without user and query, which may hold secrets; at most 200 characters. */
export function shownUrl(url: URL): string {
  return `${url.origin}${url.pathname}`.slice(0, 200);
}

/** True for sources that ask by HTTP. */
export function isHttpSource(config: SourceConfig): config is HttpSourceConfig {
  return config.kind === 'json' || config.kind === 'prometheus';
}

/** What the request says it takes. */
export const acceptOf = {
  json: 'application/json, */*;q=0.1',
  prometheus: 'text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.8, */*;q=0.1',
} as const satisfies Record<HttpSourceConfig['kind'], string>;
