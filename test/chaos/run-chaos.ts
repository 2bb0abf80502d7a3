// One run: the schedule is drawn, everything is started, broken as scheduled, healed, and judged.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Action, Begun } from './action.ts';
import { actions } from './actions.ts';
import { checkQuiet, checkTheEnd } from './final-checks.ts';
import { nodeIds, openHouse, type House } from './house.ts';
import { Verdicts } from './invariants.ts';
import { Journal } from './journal.ts';
import { ask, askAtOdds, type Answers } from './operator.ts';
import { makeReport, type ChaosReport } from './report.ts';
import { Sampler } from './sampler.ts';
import { planSchedule, type Lane, type Schedule, type ScheduledFault } from './schedule.ts';

/** What a run is asked for. */
export interface ChaosOptions {
  readonly seed: number;
  /** How long faults come and go. */
  readonly forMs: number;
  readonly clients: number;
  readonly nodes: number;
  readonly balancers: number;
  /** Where journal and logs go; it is there. */
  readonly folder: string;
  /** Nothing on stdout as it goes. */
  readonly isQuiet: boolean;
}

/** Which faults were done, and which not. */
export interface FaultCounts {
  readonly done: Record<string, number>;
  /** By action and reason. */
  readonly passedOver: Record<string, number>;
}

/** The schedule of these options. */
export function scheduleOf({ seed, forMs, nodes }: Pick<ChaosOptions, 'seed' | 'forMs' | 'nodes'>): Schedule {
  return planSchedule({ seed, forMs, actions, nodes: nodeIds(nodes) });
}

/** Runs it. Rejects only where the fleet cannot be started; all else is in the report. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, folder, isQuiet } = options;
  const journal = new Journal(`${folder}/journal.txt`, isQuiet);
  const verdicts = new Verdicts(
    () => journal.nowMs(),
    (line) => journal.tell(line),
  );
  journal.tell(`seed ${seed}, logs in ${folder}`);
  const schedule = scheduleOf(options);
  const house = await openHouse({ ...options, journal, verdicts });
  const sampler = new Sampler(house);
  const faults: FaultCounts = { done: {}, passedOver: {} };
  const answers: Answers = {};
  try {
    sampler.start();
    for (const round of roundsOf(schedule)) {
      await runRound(house, round, { faults, answers });
      journal.tell(`all is healed; ${house.crowd.connected} clients are connected`);
      await checkQuiet(house);
    }
    await sampler.stop();
    await checkTheEnd(house);
  } catch (error) {
    // A run that breaks off is one that has not shown what it should.
    verdicts.check('ended', false, () => `the run broke off: ${String(error)}`);
  } finally {
    await sampler.stop();
    await house.end();
  }
  return makeReport({ options, schedule, journal, verdicts, house, sampler, faults, answers });
}

// Everything is healed and looked at as often as that: what is lost in the first minute is not found in the last.
const roundMs = 60_000;

/** A part of a schedule, with times from its own beginning. */
type Round = Pick<Schedule, 'faults' | 'words'>;

function roundsOf({ forMs, faults, words }: Schedule): readonly Round[] {
  const count = Math.max(1, Math.round(forMs / roundMs));
  const lengthMs = forMs / count;
  return Array.from({ length: count }, (_, index) => {
    const ofRound = <Item extends { readonly atMs: number }>(items: readonly Item[]) =>
      items
        .filter(({ atMs }) => Math.floor(atMs / lengthMs) === index)
        .map((item) => ({ ...item, atMs: item.atMs - index * lengthMs }));
    return { faults: ofRound(faults), words: ofRound(words) };
  });
}

async function runRound(
  house: House,
  { faults: all, words }: Round,
  { faults: counts, answers }: { faults: FaultCounts; answers: Answers },
): Promise<void> {
  const lanes: readonly Lane[] = ['state', 'process'];
  const begins = performance.now();
  const due = (atMs: number) => sleep(Math.max(0, begins + atMs - performance.now()));
  const run = lanes.map(async (lane) => {
    for (const fault of all.filter((each) => each.lane === lane)) {
      await due(fault.atMs);
      await runFault(house, fault, { counts, answers });
    }
  });
  const said = async () => {
    for (const word of words) {
      await due(word.atMs);
      await ask(house, word, answers);
    }
  };
  await Promise.all([...run, said()]);
}

async function runFault(
  house: House,
  fault: ScheduledFault,
  { counts, answers }: { counts: FaultCounts; answers: Answers },
): Promise<void> {
  const { journal, desk } = house;
  const action = actionOf(fault);
  desk.disturb();
  const begun = await action.begin(house, fault.pick);
  if (typeof begun === 'string') {
    journal.tell(`${fault.action} passed over: ${begun}`);
    count(counts.passedOver, `${fault.action}: ${begun}`);
    return;
  }
  count(counts.done, fault.action);
  journal.tell(`${begun.what}, for ${fault.lastsMs} ms`);
  await last(house, begun, { fault, answers });
  desk.disturb();
  journal.tell(`healed: ${begun.what}`);
}

/** While it lasts nobody hears who is apart; from the moment in which it heals nobody can be sure. */
async function last(
  house: House,
  { apart, heal }: Begun,
  { fault, answers }: { fault: ScheduledFault; answers: Answers },
): Promise<void> {
  const { desk, journal } = house;
  const { lastsMs, atOdds, pick } = fault;
  const over = sleep(lastsMs);
  if (apart !== undefined) {
    desk.apart = { balancers: apart, sinceMs: journal.nowMs() };
    await sleep(lastsMs / 3);
    if (atOdds !== undefined) await askAtOdds(house, { words: atOdds, apart, via: pick }, answers);
  }
  await over;
  if (apart !== undefined) desk.apart = undefined;
  await heal();
}

function actionOf({ action: name }: ScheduledFault): Action {
  const found = actions.find((action) => action.name === name);
  if (found === undefined) throw new Error(`no action is called ${name}`);
  return found;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
