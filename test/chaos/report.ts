// What a run has shown, as JSON and as text.
import { cpus } from 'node:os';
import { invariantNames, invariants, type Verdicts, type Violation } from './invariants.ts';
import type { House } from './house.ts';
import type { Journal } from './journal.ts';
import type { Answers } from './operator.ts';
import type { ChaosOptions, FaultCounts } from './run-chaos.ts';
import type { Peak, Sampler } from './sampler.ts';
import type { Schedule } from './schedule.ts';

/** One row of the verdict. */
export interface InvariantResult {
  readonly name: string;
  readonly sentence: string;
  /** How often it was looked at; 0 is unproven. */
  readonly checked: number;
  readonly broken: number;
}

/** The whole of it. */
export interface ChaosReport {
  readonly seed: number;
  readonly seconds: number;
  readonly fleet: { readonly balancers: number; readonly nodes: number; readonly clients: number };
  readonly folder: string;
  readonly isKept: boolean;
  readonly invariants: readonly InvariantResult[];
  readonly violations: readonly Violation[];
  readonly faults: FaultCounts;
  readonly answers: Answers;
  /** Changes that all balancers came to agree on, by how many states could have stood by what was seen. */
  readonly settled: { readonly byOne: number; readonly bySeveral: number };
  /** Ends of open connections by close code, and attempts that came to nothing by reason. */
  readonly ends: Readonly<Record<string, number>>;
  readonly attempts: Readonly<Record<string, number>>;
  readonly echoes: number;
  readonly looks: number;
  /** Looks in which two took themselves for the leader, all of them explained if the invariant holds. */
  readonly twoLeaders: number;
  readonly leads: number;
  readonly peaks: Readonly<Record<string, Peak>>;
}

/** What a report is made of. */
export interface ReportParts {
  readonly options: ChaosOptions;
  readonly schedule: Schedule;
  readonly journal: Journal;
  readonly verdicts: Verdicts;
  readonly house: House;
  readonly sampler: Sampler;
  readonly faults: FaultCounts;
  readonly answers: Answers;
}

/** Gathers it. Kept is a run in which nothing was broken and everything was looked at. */
export function makeReport(parts: ReportParts): ChaosReport {
  const { options, journal, verdicts, house, sampler, faults, answers } = parts;
  const results = invariantNames().map((name) => ({
    name,
    sentence: invariants[name][1],
    checked: verdicts.checked(name),
    broken: verdicts.broken(name),
  }));
  const { crowd } = house;
  return {
    seed: options.seed,
    seconds: Math.round(journal.nowMs() / 1000),
    fleet: { balancers: options.balancers, nodes: options.nodes, clients: options.clients },
    folder: options.folder,
    isKept: results.every(({ checked, broken }) => checked > 0 && broken === 0),
    invariants: results,
    violations: verdicts.violations,
    faults,
    answers,
    settled: house.desk.settled,
    ends: crowd.ends,
    attempts: crowd.attempts,
    echoes: crowd.echoes,
    looks: sampler.looks,
    twoLeaders: sampler.twoLeaders,
    leads: house.tokens.length,
    peaks: Object.fromEntries(sampler.peaks),
  };
}

/** For people. Where something was broken: the seed, what was seen, and the story so far. */
export function textOfReport(report: ChaosReport, story: readonly string[]): string {
  const { fleet, faults, isKept } = report;
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores, Node ${process.version}`;
  return [
    `seed ${report.seed}: ${fleet.balancers} balancers, ${fleet.nodes} nodes, ${fleet.clients} clients, ${report.seconds} s (${machine})`,
    '',
    `faults       ${counts(faults.done)}`,
    `passed over  ${counts(faults.passedOver)}`,
    `operator     ${counts(report.answers)}`,
    `agreed on    ${report.settled.byOne} changes where one state could stand, ${report.settled.bySeveral} where several could`,
    `closes       ${counts(report.ends)}`,
    `attempts     ${counts(report.attempts)}`,
    `echoes       ${report.echoes}`,
    `leads        ${report.leads}; two at a time in ${report.twoLeaders} of ${report.looks} looks`,
    `highest use  ${Object.entries(report.peaks).map(usage).join(', ')}`,
    '',
    ...report.invariants.map(resultLine),
    '',
    ...(isKept ? [] : ['the story so far:', ...story, '', ...violationLines(report), '']),
    isKept ? 'every invariant held' : `AN INVARIANT WAS BROKEN; logs are in ${report.folder}`,
  ].join('\n');
}

function resultLine({ name, sentence, checked, broken }: InvariantResult): string {
  const verdict = broken > 0 ? `BROKEN ${broken}` : checked === 0 ? 'UNPROVEN' : 'held';
  return `${verdict.padEnd(10)} ${name.padEnd(12)} ${String(checked).padStart(7)} ×  ${sentence}`;
}

function violationLines({ seed, violations }: ChaosReport): string[] {
  return violations.map(
    ({ invariant, atMs, seen }) => `seed ${seed}, ${(atMs / 1000).toFixed(1)} s, ${invariant}: ${seen}`,
  );
}

function counts(tally: Readonly<Record<string, number>>): string {
  const entries = Object.entries(tally).toSorted(([a], [b]) => a.localeCompare(b));
  return entries.length === 0 ? 'none' : entries.map(([name, count]) => `${name} ${count}`).join(', ');
}

function usage([id, { residentMiB, descriptors }]: [string, Peak]): string {
  return `${id} ${Math.round(residentMiB)} MiB and ${descriptors} descriptors`;
}
