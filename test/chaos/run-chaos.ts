// One run: the schedule is drawn, everything is started, broken as scheduled, healed, and judged.
import { setTimeout as sleep } from 'node:timers/promises';
import { actions, type Action, type Begun } from './actions.ts';
import { checkTheEnd } from './final-checks.ts';
import { nodeIds, openHouse, type House } from './house.ts';
import { Verdicts } from './invariants.ts';
import { Journal } from './journal.ts';
import { ask, type Answers } from './operator.ts';
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
    await Promise.all([
      runLane(house, schedule, { lane: 'state', faults }),
      runLane(house, schedule, { lane: 'process', faults }),
      runWords(house, schedule, answers),
    ]);
    journal.tell(`all is healed; ${house.crowd.connected} clients are connected`);
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

async function runLane(
  house: House,
  { faults: scheduled }: Schedule,
  { lane, faults }: { lane: Lane; faults: FaultCounts },
): Promise<void> {
  const startedAtMs = performance.now();
  for (const fault of scheduled) {
    if (fault.lane !== lane) continue;
    await sleep(Math.max(0, fault.atMs - (performance.now() - startedAtMs)));
    await runFault(house, fault, faults);
  }
}

async function runFault(house: House, fault: ScheduledFault, counts: FaultCounts): Promise<void> {
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
  await last(house, begun, fault.lastsMs);
  desk.disturb();
  journal.tell(`healed: ${begun.what}`);
}

/** While it lasts nobody hears who is apart; from the moment in which it heals nobody can be sure. */
async function last({ desk, journal }: House, begun: Begun, lastsMs: number): Promise<void> {
  if (begun.apart !== undefined) desk.apart = { balancers: begun.apart, sinceMs: journal.nowMs() };
  await sleep(lastsMs);
  if (begun.apart !== undefined) desk.apart = undefined;
  await begun.heal();
}

async function runWords(house: House, { words }: Schedule, answers: Answers): Promise<void> {
  const startedAtMs = performance.now();
  for (const word of words) {
    await sleep(Math.max(0, word.atMs - (performance.now() - startedAtMs)));
    await ask(house, word, answers);
  }
}

function actionOf({ action: name }: ScheduledFault): Action {
  const found = actions.find((action) => action.name === name);
  if (found === undefined) throw new Error(`no action is called ${name}`);
  return found;
}

function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
