// The workers of this machine: processes that accept and relay, while this one takes in reports, answers operators and
// scrapers, and decides. What they need to know is told, what they carry is heard and summed.
import type { Clock, Timer } from '../../core/clock.ts';
import type { WorkerDetail } from '../../protocol/workers.ts';
import type { EventFeed } from '../control/ports.ts';
import type { CountedSeries } from '../../protocol/workers.ts';
import type { RelayForms, StopReport } from '../state/ports.ts';
import type { Notify } from '../state/notice.ts';
import type { DataPlane, StateSection } from '../state/ports.ts';
import type { Registry } from '../state/registry.ts';
import { Briefing } from './briefing.ts';
import { Carried } from './carried.ts';
import { ClientBook } from './client-book.ts';
import type { FromWorker, ToWorker, WorkerSettings, WorkerUse } from './messages.ts';
import { ReportBook } from './report-book.ts';
import { Seat, type WorkerEvents, type WorkerProcess } from './seat.ts';
import { WorkerDataPlane } from './worker-data-plane.ts';

/** What a crew is made with. */
export interface CrewParts {
  readonly clock: Clock;
  readonly tell: EventFeed['tell'];
  /** A notice of a worker that concerns all. */
  readonly notice: (level: 'info' | 'warn', ...notice: Parameters<Notify>) => void;
  /** Counters of a worker's process, as they stand; `process` is another one for each life. */
  readonly counted: (process: string, series: readonly CountedSeries[]) => void;
}

/** What a crew needs at its start. */
export interface CrewStart {
  /** 1..64. */
  readonly workers: number;
  readonly registry: Registry;
  readonly settings: () => WorkerSettings;
  /** What of the saved state a worker needs: registrations and what was learned. */
  readonly sections: () => readonly StateSection[];
  readonly spawn: (worker: number, events: WorkerEvents) => WorkerProcess;
}

const tickMs = 100;
const ticksPerWhole = 10;
// A worker says something every second.
const silentMs = 10_000;
const deadMs = 30_000;
type Figures = WorkerUse & { readonly waitingBytes: number };

const noUse: Figures = { cpuSeconds: 0, residentBytes: 0, lagMs: 0, waitingBytes: 0 };

/** Workers with a lifetime: `start`, maybe `retire`, then `stop`. */
export class Crew {
  readonly #parts: CrewParts;
  readonly #seats: Seat[] = [];
  readonly #briefings = new Map<number, Briefing>();
  readonly #uses = new Map<number, Figures>();
  readonly #silent = new Set<number>();
  readonly #book: ReportBook;
  readonly #clients = new ClientBook();
  #carried: Carried | undefined;
  #plane: WorkerDataPlane | undefined;
  #start: CrewStart | undefined;
  #timer: Timer | undefined;
  /** How bytes are carried, as the first worker found; a guess before. */
  relayForms: RelayForms = { form: 'plain', tls: 'plain' };
  #ticks = 0;
  #tickedAtMs = 0;

  constructor(parts: CrewParts) {
    this.#parts = parts;
    this.#book = new ReportBook(parts.clock);
  }

  /** The data plane over these pools, whose connections the workers have. */
  dataPlane(pools: Registry['pools']): DataPlane {
    this.#carried = new Carried(pools);
    this.#plane = new WorkerDataPlane({
      pools,
      clock: this.#parts.clock,
      line: {
        living: () => this.#serving.map(({ worker }) => worker),
        shed: (worker, orders) => this.#seatOf(worker)?.send({ type: 'shed', orders }),
        watch: (pool) => this.#sendAll({ type: 'watch', pool }),
      },
    });
    return this.#plane;
  }

  /** Everything under way in all workers. */
  get openCount(): number {
    return this.#carried?.openCount ?? 0;
  }

  /** Bytes that wait for slow clients in all workers, up to a second old. */
  get waitingBytes(): number {
    return [...this.#uses.values()].reduce((sum, { waitingBytes }) => sum + waitingBytes, 0);
  }

  /** Starts the workers; resolves when all serve. Rejects with why one cannot, after ending the others. */
  async start(start: CrewStart): Promise<void> {
    this.#start = start;
    start.registry.onReport = (report, source) => this.#book.take(report, source);
    this.#tickedAtMs = this.#parts.clock.nowMs();
    this.#timer = this.#parts.clock.repeat(tickMs, () => this.#tick());
    for (let worker = 1; worker <= start.workers; worker += 1)
      this.#seats.push(this.#createSeat(worker, start));
    const started = await Promise.allSettled(this.#seats.map((seat) => seat.start()));
    const failed = started.find((each) => each.status === 'rejected');
    if (failed === undefined) return;
    await this.stop(0);
    throw failed.reason;
  }

  /** Takes a new configuration over. */
  configure(settings: WorkerSettings): void {
    this.#sendAll({ type: 'configure', settings });
  }

  /** Accepts nothing more; what is open lives on. */
  retire(): void {
    for (const seat of this.#seats) seat.retire();
  }

  /** Asks everybody to leave within `graceMs`, and ends the workers. */
  async stop(graceMs: number): Promise<StopReport> {
    const reports = await Promise.all(
      this.#seats.map((seat) => seat.stop(graceMs, () => this.#carried?.openCountOf(seat.worker) ?? 0)),
    );
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#start !== undefined) this.#start.registry.onReport = undefined;
    return reports.reduce(
      (sum, { closed, refusedByPeer, cut }) => ({
        closed: sum.closed + closed,
        refusedByPeer: sum.refusedByPeer + refusedByPeer,
        cut: sum.cut + cut,
      }),
      { closed: 0, refusedByPeer: 0, cut: 0 },
    );
  }

  /** Each worker as it stands now. */
  view(): readonly WorkerDetail[] {
    const nowMs = this.#parts.clock.nowMs();
    return this.#seats.map((seat) => {
      const { worker, state, pid, restarts } = seat;
      const connections = this.#carried?.openCountOf(worker) ?? 0;
      const { cpuSeconds, residentBytes, lagMs } = this.#uses.get(worker) ?? noUse;
      const ageMs = Math.round(seat.ageMs(nowMs));
      return { worker, pid, state, connections, restarts, ageMs, cpuSeconds, residentBytes, lagMs };
    });
  }

  get #serving(): readonly Seat[] {
    return this.#seats.filter(({ state }) => state === 'serving');
  }

  #seatOf(worker: number): Seat | undefined {
    return this.#seats[worker - 1];
  }

  #sendAll(message: ToWorker): void {
    for (const seat of this.#seats) seat.send(message);
  }

  #createSeat(worker: number, { spawn, registry, settings, sections }: CrewStart): Seat {
    return new Seat({
      worker,
      clock: this.#parts.clock,
      spawn,
      briefing: () => {
        const briefing = this.#newBriefing(worker, registry);
        return {
          type: 'begin',
          settings: settings(),
          workers: this.#start?.workers ?? 1,
          sections: Object.fromEntries(sections().map((section) => [section.name, section.save()])),
          nodes: briefing.states(true, this.#parts.clock.nowMs()),
          others: briefing.others(true),
          clients: this.#clients.takeNews(worker),
          reports: this.#book.all(),
        };
      },
      heard: (from, message) => this.#heard(from, message),
      began: (from, pid) => this.#tell('worker.began', `Worker ${from} serves.`, { worker: from, pid }),
      lost: (from, { pid, how, againInMs }) => {
        const connections = this.#carried?.openCountOf(from) ?? 0;
        this.#drop(from);
        const message = `Worker ${from} ${how}; ${connections} connections have ended with it.`;
        this.#tell('worker.ended', message, { worker: from, pid, connections, againInMs });
      },
    });
  }

  #newBriefing(worker: number, { pools }: Registry): Briefing {
    const carried = this.#carried ?? new Carried(pools);
    const briefing = new Briefing(worker, {
      pools,
      carried,
      workers: () => Math.max(1, this.#serving.length),
    });
    this.#briefings.set(worker, briefing);
    return briefing;
  }

  #drop(worker: number): void {
    this.#briefings.delete(worker);
    this.#uses.delete(worker);
    this.#silent.delete(worker);
    this.#carried?.drop(worker);
    this.#plane?.drop(worker);
    this.#clients.drop(worker);
  }

  #heard(worker: number, message: FromWorker): void {
    const { registry } = this.#start ?? {};
    if (message.type === 'carried') this.#carried?.hear(worker, message);
    else if (message.type === 'clients') this.#clients.hear(worker, message.listeners);
    else if (message.type === 'connections') this.#plane?.hearConnections(worker, message);
    else if (message.type === 'settled') this.#plane?.hearSettled(message.outcomes);
    else if (message.type === 'notice')
      this.#parts.notice(message.level, message.event, { ...message.facts, worker });
    else if (message.type === 'ejected') registry?.eject(message.pool, message.node, message.forMs);
    else if (message.type === 'serving') this.relayForms = message.relayForms;
    else if (message.type === 'figures') {
      this.#uses.set(worker, { ...message.use, waitingBytes: message.waitingBytes });
      this.#parts.counted(`${worker}.${this.#seatOf(worker)?.pid}`, message.counted);
    }
  }

  #tick(): void {
    const { clock } = this.#parts;
    const { pools } = this.#start?.registry ?? {};
    const isWhole = this.#ticks % ticksPerWhole === 0;
    this.#ticks += 1;
    const reports = this.#book.takeFresh();
    // Nodes first come with a report; what is said of them is understood after it.
    if (reports.length > 0) this.#sendAll({ type: 'reports', reports });
    for (const seat of this.#seats) {
      if (!seat.hasBegun) continue;
      const briefing = this.#briefings.get(seat.worker);
      if (briefing === undefined) continue;
      const nodes = briefing.states(isWhole, clock.nowMs());
      if (nodes.length > 0) seat.send({ type: 'nodes', nodes });
      const others = briefing.others(isWhole);
      if (others.length > 0) seat.send({ type: 'others', isWhole, others });
      const listeners = this.#clients.takeNews(seat.worker);
      if (listeners.length > 0) seat.send({ type: 'clients', listeners });
    }
    if (!isWhole) return;
    if (pools !== undefined) this.#book.keep(pools);
    this.#watchOver();
  }

  /** A worker that hangs holds its clients for ever, and nobody else can let them go. */
  #watchOver(): void {
    const { clock } = this.#parts;
    const nowMs = clock.nowMs();
    // This process stood still itself: whatever was said waits to be heard.
    const stoodStill = nowMs - this.#tickedAtMs > silentMs / 2;
    this.#tickedAtMs = nowMs;
    if (stoodStill) return;
    for (const seat of this.#serving) {
      const silence = seat.silentMs(nowMs);
      if (silence < silentMs) {
        this.#silent.delete(seat.worker);
        continue;
      }
      if (!this.#silent.has(seat.worker)) {
        this.#silent.add(seat.worker);
        const message = `Worker ${seat.worker} has said nothing for ${silentMs / 1000} s.`;
        this.#tell('worker.silent', message, { worker: seat.worker, pid: seat.pid });
      }
      if (silence >= deadMs) seat.kill();
    }
  }

  #tell(type: string, message: string, facts: Readonly<Record<string, string | number>>): void {
    this.#parts.tell({ type, pool: '', node: '', by: '', why: '', message, facts });
  }
}
