// What a soak has shown, as JSON and as text.
import { cpus } from 'node:os';
import { median } from '../../src/core/median.ts';
import type { Violation } from '../chaos/invariants.ts';
import { sentences, type Desk, type Sentence, type Tally } from './desk.ts';
import type { SoakOptions } from './run-soak.ts';
import type { Series } from './sampler.ts';
import { driftOf, lows, type Drift, type Point } from './slope.ts';

/** One row of the verdict. */
export interface SentenceResult {
  readonly name: Sentence;
  readonly sentence: string;
  /** How often it was looked at; 0 is unproven. */
  readonly checked: number;
  readonly broken: number;
}

/** What became of the memory of one process. */
export interface ProcessDrift {
  readonly who: string;
  readonly residentMiB: Drift;
  /** Undefined for a worker. */
  readonly heapMiB: Drift | undefined;
  /** Median resident memory of each minute, the warm-up among them: whether a rise levels off. */
  readonly residentByMinuteMiB: readonly number[];
}

/** The whole of it. */
export interface SoakReport {
  readonly options: SoakOptions;
  readonly machine: string;
  readonly isKept: boolean;
  readonly sentences: readonly SentenceResult[];
  readonly violations: readonly Violation<Sentence>[];
  readonly done: Tally;
  /** Relays that ended, by the balancer's own reasons. */
  readonly relayEnds: readonly string[];
  readonly memory: readonly ProcessDrift[];
  /** By process: before the first client, at most, after the last. */
  readonly descriptors: readonly {
    readonly who: string;
    readonly before: number;
    readonly most: number;
    readonly after: number;
  }[];
}

/** What a report is made of. */
export interface SoakReportParts {
  readonly options: SoakOptions;
  readonly desk: Desk;
  readonly series: readonly Series[];
  readonly before: Readonly<Record<string, number>>;
  readonly after: Readonly<Record<string, number>>;
  readonly relayEnds: readonly string[];
}

// The heap finds its size, code is compiled, pools are filled.
const longestWarmUpSeconds = 120;
const warmUpPart = 0.25;
/** Less than this shows nothing: a garbage collector's mood is larger than a leak. */
const leastWatchedSeconds = 120;
// A tenth of what a process has; below 12 MiB it is what buffers of stalled clients come to.
const riseBound = { least: 12, part: 0.1 };
const heapBound = { least: 4, part: 0.1 };
const lowSeconds = 10;

/** Memory after the warm-up. */
function memoryOf(series: readonly Series[]): ProcessDrift[] {
  return series.map(({ who, residentMiB, heapMiB }) => ({
    who,
    residentMiB: driftOf(warm(residentMiB), riseBound),
    heapMiB: heapMiB.length === 0 ? undefined : driftOf(lows(warm(heapMiB), lowSeconds), heapBound),
    residentByMinuteMiB: byMinute(residentMiB),
  }));
}

function byMinute(points: readonly Point[]): number[] {
  const count = Math.ceil((points.at(-1)?.[0] ?? 0) / 60);
  return Array.from({ length: count }, (_, minute) => {
    const ofMinute = points.filter(([atSeconds]) => Math.floor(atSeconds / 60) === minute);
    const values = ofMinute.map(([, value]) => value);
    return Math.round(median(values, NaN) * 10) / 10;
  });
}

function warm(points: readonly Point[]): readonly Point[] {
  const seconds = points.at(-1)?.[0] ?? 0;
  const fromSeconds = Math.min(longestWarmUpSeconds, seconds * warmUpPart);
  return points.filter(([atSeconds]) => atSeconds >= fromSeconds);
}

/** Judges it where it was watched for long enough; a shorter run leaves both sentences unproven. */
export function judgeMemory({ verdicts }: Desk, series: readonly Series[]): void {
  for (const { who, residentMiB, heapMiB } of memoryOf(series)) {
    judge('memory', residentMiB);
    if (heapMiB !== undefined) judge('heap', heapMiB);
    function judge(name: 'memory' | 'heap', drift: Drift): void {
      if (drift.seconds < leastWatchedSeconds) return;
      verdicts.check(name, drift.rise < drift.most, () => `${who} rose by ${driftText(drift)}`);
    }
  }
}

/** Gathers it. Kept is a run in which nothing was broken; short runs cannot prove that memory is flat. */
export function makeReport(parts: SoakReportParts): SoakReport {
  const { options, desk, series, before, after } = parts;
  const { verdicts, tally } = desk;
  // Proof of `as`: the keys of that object.
  const names = Object.keys(sentences) as Sentence[];
  const results = names.map((name) => {
    return {
      name,
      sentence: sentences[name],
      checked: verdicts.checked(name),
      broken: verdicts.broken(name),
    };
  });
  const mayBeUnproven = (name: Sentence) => name === 'memory' || name === 'heap';
  return {
    options,
    machine: `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}`,
    isKept: results.every(
      ({ name, checked, broken }) => broken === 0 && (checked > 0 || mayBeUnproven(name)),
    ),
    sentences: results,
    violations: verdicts.violations,
    done: tally,
    relayEnds: parts.relayEnds,
    memory: memoryOf(series),
    descriptors: series.map(({ who, descriptors }) => ({
      who,
      before: before[who] ?? 0,
      most: descriptors.reduce((most, [, count]) => Math.max(most, count), 0),
      after: after[who] ?? 0,
    })),
  };
}

/** For people. */
export function textOfReport(report: SoakReport): string {
  const { options, isKept } = report;
  const relays = options.workers === 0 ? 'no workers' : `${options.workers} workers`;
  return [
    `seed ${options.seed}, ${options.minutes} minutes: ${options.nodes} nodes, ${options.seats} clients at a time, relay ${options.form}, ${relays} (${report.machine})`,
    '',
    ...Object.entries(report.done)
      .toSorted(([a], [b]) => a.localeCompare(b))
      .map(([name, count]) => `${name.padEnd(30)} ${count.toLocaleString('en').padStart(15)}`),
    '',
    `relays ended: ${report.relayEnds.join(', ')}`,
    ...report.descriptors.map(
      ({ who, before, most, after }) =>
        `descriptors of ${who}: ${before} before, ${most} at most, ${after} after`,
    ),
    ...report.memory.flatMap(({ who, residentMiB, heapMiB, residentByMinuteMiB }) => [
      `memory of ${who}: ${driftText(residentMiB)}`,
      `  by minute, MiB: ${residentByMinuteMiB.join(' ')}`,
      ...(heapMiB === undefined ? [] : [`heap of ${who}: ${driftText(heapMiB)}`]),
    ]),
    '',
    ...report.sentences.map(resultLine),
    '',
    ...report.violations.map(
      ({ invariant, atMs, seen }) => `${(atMs / 1000).toFixed(1)} s, ${invariant}: ${seen}`,
    ),
    isKept ? 'every sentence held' : `BROKEN: ${brokenSentences(report).join(' ')}`,
  ].join('\n');
}

function brokenSentences({ sentences: results }: SoakReport): string[] {
  const broken = results.filter((result) => result.broken > 0).map(({ sentence }) => sentence);
  return broken.length > 0 ? broken : ['something was never looked at.'];
}

function driftText({ median: middle, highest, rise, most, perHour, seconds }: Drift): string {
  const mib = (value: number) => `${value.toFixed(1)} MiB`;
  return `${mib(rise)} in ${seconds.toFixed(0)} s by the slope (${mib(perHour)}/h; less than ${mib(most)} is flat), median ${mib(middle)}, highest ${mib(highest)}`;
}

function resultLine({ name, sentence, checked, broken }: SentenceResult): string {
  const verdict = broken > 0 ? `BROKEN ${broken}` : checked === 0 ? 'UNPROVEN' : 'held';
  return `${verdict.padEnd(10)} ${name.padEnd(12)} ${String(checked).padStart(8)} ×  ${sentence}`;
}
