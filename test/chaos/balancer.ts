// One balancer of a run: `herald serve` with a link of its own to Redis, always on the same ports and with the same
// files, however often it is killed, ended, replaced and started again.
import { appendFileSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createAdminClient, type AdminClient } from '../../src/cli/admin-client.ts';
import { startCommand, type RunningCommand } from '../support/herald-command.ts';
import { writeSetup } from '../support/herald-setup.ts';
import { until } from '../support/until.ts';
import { chaosSetup } from './balancer-setup.ts';
import { ChaosLink } from './link.ts';
import { childrenOf, isAlive, lastingPort, signal } from './processes.ts';

/** One line of its log. */
export interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly [fact: string]: unknown;
}

/** What a balancer is made with. */
export interface BalancerOptions {
  readonly id: string;
  readonly redisPort: number;
  /** Where its log goes. */
  readonly logFile: string;
  /** Every line, once. */
  readonly onLog: (line: LogLine) => void;
}

const serveWithinMs = 150_000;
const endWithinMs = 60_000;
const graceSeconds = 5;

/** A balancer with a lifetime: `open`, `start`, then anything, `close`. */
export class ChaosBalancer {
  readonly id: string;
  readonly link: ChaosLink;
  readonly publicPort: number;
  readonly intakePort: number;
  /** Every process that has served, in order. */
  readonly served: number[] = [];
  /** It is meant to serve: started, and not told to end since. */
  isWanted = false;
  readonly #options: BalancerOptions;
  readonly #folder: string;
  readonly #admin: AdminClient;
  #command: RunningCommand | undefined;
  #lines: LogLine[] = [];
  #rest = '';
  #isServing = false;

  private constructor(options: BalancerOptions, link: ChaosLink, ports: readonly [number, number]) {
    this.id = options.id;
    this.#options = options;
    this.link = link;
    [this.publicPort, this.intakePort] = ports;
    this.#folder = writeSetup(chaosSetup({ id: options.id, ports, redisPort: link.port }));
    this.#admin = createAdminClient({ kind: 'socket', socketPath: join(this.#folder, 'h.sock') }, 10_000);
  }

  /** Opens its link and chooses its ports. */
  static async open(options: BalancerOptions): Promise<ChaosBalancer> {
    const link = await ChaosLink.open(options.redisPort);
    return new ChaosBalancer(options, link, [await lastingPort(), await lastingPort()]);
  }

  get intakeUrl(): string {
    return `http://127.0.0.1:${this.intakePort}`;
  }

  /** What it has written to stderr since its last start. */
  get stderr(): string {
    return this.#command?.stderr ?? '';
  }

  /** Starts it; resolves when it serves. */
  async start(): Promise<void> {
    this.#lines = [];
    this.#isServing = false;
    this.isWanted = true;
    this.#command = startCommand(
      ['serve', '-c', join(this.#folder, 'herald.yaml'), '--grace', String(graceSeconds)],
      { onStdout: (text) => this.#read(text) },
    );
    await this.#untilServing(() => this.#lines.length > 0);
    this.#isServing = true;
  }

  /** It has served, and is gone although nobody told it to end. */
  get hasCrashed(): boolean {
    return this.isWanted && this.#isServing && this.pids().length === 0;
  }

  /** Processes that serve or still relay for it, the newest last. Here a test finds whom to kill. */
  pids(): readonly number[] {
    return this.served.filter(isAlive);
  }

  /** Relay workers under its newest process that live; none where this one has no workers. */
  async workerPids(): Promise<readonly number[]> {
    return (await this.workers()).map(({ pid }) => pid);
  }

  /** The same with what they carry. */
  async workers(): Promise<readonly { readonly pid: number; readonly connections: number }[]> {
    const answer: unknown = await this.#admin.get('/v1/workers').catch(() => undefined);
    if (typeof answer !== 'object' || answer === null || !('workers' in answer)) return [];
    const { workers } = answer;
    if (!Array.isArray(workers)) return [];
    return workers
      .map(({ pid, connections }: { pid?: unknown; connections?: unknown }) => {
        return { pid: Number(pid), connections: Number(connections) };
      })
      .filter(({ pid }) => pid > 0 && isAlive(pid));
  }

  /** Ends all its processes at once, as a crash of its machine would. */
  async kill(): Promise<void> {
    this.isWanted = false;
    const all = this.#all();
    for (const pid of [...all, ...childrenOf(all)]) signal(pid, 'SIGKILL');
    await this.#gone();
  }

  /** Ends its main processes at once: workers are left to themselves. */
  async killMain(): Promise<void> {
    this.isWanted = false;
    for (const pid of this.#all()) signal(pid, 'SIGKILL');
    await this.#gone();
  }

  /** SIGTERM, and its end; the exit code of the process that was started last, undefined when it was replaced before. */
  async terminate(): Promise<number | null | undefined> {
    this.isWanted = false;
    const command = this.#command;
    const isReplaced = this.pids().some((pid) => pid !== command?.pid);
    for (const pid of this.#all()) signal(pid, 'SIGTERM');
    await this.#gone();
    return isReplaced ? undefined : (await command?.ended(endWithinMs))?.code;
  }

  /** SIGUSR2; whether a new process serves, or what was said against it. */
  async takeOver(): Promise<'done' | { readonly refused: string }> {
    const from = this.#lines.length;
    const [newest] = this.pids().slice(-1);
    if (newest === undefined) return { refused: 'it does not run' };
    signal(newest, 'SIGUSR2');
    const outcome = () =>
      this.#lines
        .slice(from)
        .find(({ msg, type }) => msg === 'serving' || msg === 'no takeover' || type === 'takeover.failed');
    await until(
      () => outcome() !== undefined,
      () => `${this.id}: nothing came of SIGUSR2`,
      serveWithinMs,
    );
    const line = outcome();
    return line?.msg === 'serving' ? 'done' : { refused: String(line?.['reason']) };
  }

  /** An answer of its admin socket. Rejects with what it refused, or when it is down. */
  get<Answer>(path: string): Promise<Answer> {
    return this.#admin.get<Answer>(path);
  }

  /** Asks its admin socket for something. */
  send(method: 'PUT' | 'POST', path: string, body: object): Promise<unknown> {
    return this.#admin.send(method, path, { body });
  }

  /** Resident memory of its newest process in MiB, and its open descriptors; undefined when it does not run. */
  usage(): { readonly residentMiB: number; readonly descriptors: number } | undefined {
    const [pid] = this.pids().slice(-1);
    if (pid === undefined) return undefined;
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'utf8');
      const residentKiB = /^VmRSS:\s+(\d+)/m.exec(status)?.[1];
      // A process that is just ending has no memory any more.
      if (residentKiB === undefined) return undefined;
      const residentMiB = Number(residentKiB) / 1024;
      return { residentMiB, descriptors: readdirSync(`/proc/${pid}/fd`).length };
    } catch {
      return undefined;
    }
  }

  /** Ends what is left of it. */
  async close(): Promise<void> {
    await this.kill();
    await this.#admin.close();
    await this.link.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Started processes that may not serve yet, too. */
  #all(): Set<number> {
    const first = this.#command?.pid;
    return new Set([...this.pids(), ...(first !== undefined && isAlive(first) ? [first] : [])]);
  }

  async #gone(): Promise<void> {
    await until(
      () => this.#all().size === 0,
      () => `${this.id}: process ${[...this.#all()].join()} does not end`,
      endWithinMs,
    );
    await this.#command?.ended(endWithinMs);
  }

  async #untilServing(hasBegun: () => boolean): Promise<void> {
    const { child } = this.#command ?? {};
    const isOver = () => child === undefined || child.exitCode !== null || child.signalCode !== null;
    await until(
      () => isOver() || this.#lines.some(({ msg }) => msg === 'serving'),
      () => `${this.id} does not serve${hasBegun() ? '' : ', and has logged nothing'}: ${this.stderr}`,
      serveWithinMs,
    );
    if (isOver()) throw new Error(`${this.id} ended instead of serving: ${this.stderr}`);
  }

  #read(text: string): void {
    appendFileSync(this.#options.logFile, text);
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(parsed(line));
  }

  #take(line: LogLine): void {
    this.#lines.push(line);
    if (line.msg === 'serving') this.served.push(Number(line['pid']));
    this.#options.onLog(line);
  }
}

function parsed(line: string): LogLine {
  try {
    // Herald logs one object a line; what is none is told as an error below.
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: 60, msg: `not JSON: ${line}` };
  }
}
