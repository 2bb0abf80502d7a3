// One soak: the balancer and its nodes are started, clients come and go, everybody leaves, and what is left is judged.
import { setTimeout as sleep } from 'node:timers/promises';
import { rmSync } from 'node:fs';
import { makeCertificates, type Certificate } from '../support/certificates.ts';
import { eventually } from '../support/eventually.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { startHerald, type HeraldProcess } from '../support/herald-process.ts';
import { comeAndGo } from './crowd.ts';
import { Desk } from './desk.ts';
import { startFleet, type Fleet } from './fleet.ts';
import { drainAndReady } from './operator.ts';
import { judgeMemory, makeReport, type SoakReport } from './report.ts';
import { descriptorsOf, processesOf, sample, type Series } from './sampler.ts';

/** What a soak is asked for. */
export interface SoakOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Relay processes; 0: the main one relays. */
  readonly workers: number;
  readonly form: 'fast' | 'plain';
  readonly nodes: number;
  /** Clients at a time. */
  readonly seats: number;
}

// Keep-alive connections to nodes, health checks and scrapes come and go.
const toleratedDescriptors = 8;
const goneWithinMs = 90_000;
const idleEndsWithinMs = 10_000;
const errorLevel = 50;

const listenersWith = ({ cert, key }: Certificate) => [
  { name: 'public', bind: '127.0.0.1:0' },
  { name: 'bytes', bind: '127.0.0.1:0', protocol: 'tcp', pool: 'chat' },
  { name: 'secure', bind: '127.0.0.1:0', tls: { certificates: [{ cert, key }] } },
];

const policy = aPolicy({
  signals: { busy: { saturation: 1, kind: 'additive' } },
  reports: { interval: '500ms', blackout: '0s', expiry: '10s' },
  // Nobody waits: what is looked for is not admission.
  place: { slowStart: '0s', connectRate: '5000/s' },
  drain: { deadline: '6s' },
  health: { check: { kind: 'tcp', interval: '2s', timeout: '2s', fall: 5, rise: 1 } },
});

/** Runs it. Rejects where the fleet cannot be started; all else is in the report. */
export async function runSoak(options: SoakOptions, tell: (line: string) => void): Promise<SoakReport> {
  const certificates = makeCertificates();
  const herald = await startHerald({
    policies: { chat: policy },
    config: { workers: options.workers, listeners: listenersWith(certificates.own) },
    env: { HERALD_RELAY_FORM: options.form },
  });
  let fleet: Fleet | undefined;
  try {
    fleet = await startFleet(options.nodes, herald.intakeUrl);
    return await soak(options, { herald, fleet, tell });
  } finally {
    await fleet?.end();
    await herald.stop();
    rmSync(herald.folder, { recursive: true, force: true });
    certificates.remove();
  }
}

interface House {
  readonly herald: HeraldProcess;
  readonly fleet: Fleet;
  readonly tell: (line: string) => void;
}

async function soak(options: SoakOptions, { herald, fleet, tell }: House): Promise<SoakReport> {
  const desk = new Desk(tell);
  desk.port = herald.publicPort;
  await eventually(
    () => herald.nodes(),
    (nodes) => Object.keys(nodes).length === fleet.ids.length,
    60_000,
  );
  await herald.eligible(...fleet.ids);
  const listening = herald.logs.filter(({ msg }) => msg === 'listening');
  const portOf = (name: string) => Number(listening.find(({ listener }) => listener === name)?.['port']);
  desk.bytesPort = portOf('bytes');
  desk.securePort = portOf('secure');
  const before = await descriptorsByProcess(herald);
  tell(`${fleet.ids.length} nodes report; clients come`);
  const stopSampling = new AbortController();
  const sampling = sample(herald, stopSampling.signal);
  const ends = sleep(options.minutes * 60_000).then(() => desk.leave.abort());
  await Promise.all([
    comeAndGo(desk, options.seats, options.seed),
    drainAndReady(desk, herald, { ids: fleet.ids, seed: options.seed }),
    ends,
  ]);
  stopSampling.abort();
  const series = await sampling;
  tell('all clients have left');
  const after = await judgeRest(desk, herald, before);
  judgeMemory(desk, series);
  const rest = await judgeEnd(desk, herald);
  return makeReport({ options, desk, series, before, after, ...rest });
}

type Descriptors = Readonly<Record<string, number>>;

async function descriptorsByProcess(herald: HeraldProcess): Promise<Descriptors> {
  const processes = await processesOf(herald);
  return Object.fromEntries(processes.map(({ who, pid }) => [who, descriptorsOf(pid)]));
}

/** Gauges and descriptors once nobody is there; they get time to get there. The descriptors in the end. */
async function judgeRest(desk: Desk, herald: HeraldProcess, before: Descriptors): Promise<Descriptors> {
  const gauges = await eventually(
    async () => openGauges(await herald.metrics()),
    (open) => open.length === 0,
    goneWithinMs,
  ).then(
    () => '',
    (error: Error) => error.message,
  );
  desk.verdicts.check('counters', gauges === '', () => gauges);
  const isBack = (more: number) => (now: Descriptors) =>
    Object.entries(now).every(([who, count]) => count <= (before[who] ?? 0) + more);
  const count = () => descriptorsByProcess(herald);
  // Idle connections to nodes end a little later: waited for, so that the report shows the end, but not judged.
  await eventually(count, isBack(0), idleEndsWithinMs).catch(() => {});
  const failure = await eventually(count, isBack(toleratedDescriptors), goneWithinMs).then(
    () => '',
    (error: Error) => error.message,
  );
  desk.verdicts.check('descriptors', failure === '', () => `${JSON.stringify(before)} before; ${failure}`);
  return count();
}

/** Gauges of clients that are not 0. */
function openGauges(metrics: ReadonlyMap<string, number>): string[] {
  return [...metrics]
    .filter(
      ([series, value]) =>
        /^herald_(connections|admission_waiting|worker_connections)\{/.test(series) && value !== 0,
    )
    .map(([series, value]) => `${series} ${value}`);
}

async function judgeEnd(desk: Desk, herald: HeraldProcess): Promise<{ readonly relayEnds: Series['who'][] }> {
  const relayEnds = [...(await herald.metrics())]
    .filter(([series, value]) => series.startsWith('herald_relay_ends_total{') && value > 0)
    .map(([series, value]) => `${/reason="(\w+)"/.exec(series)?.[1]} ${value}`);
  const { code, stderr } = await herald.stop();
  desk.verdicts.check('stopped', code === 0, () => `exit code ${code}`);
  desk.verdicts.check('errors', stderr === '', () => stderr.slice(0, 500));
  for (const line of herald.logs) {
    const text = JSON.stringify(line);
    const isError = line.level >= errorLevel || text.includes('HERALD_INTERNAL');
    desk.verdicts.check('errors', !isError, () => text.slice(0, 500));
  }
  return { relayEnds };
}
