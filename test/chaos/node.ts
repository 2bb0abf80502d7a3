// A node as the runner holds it: started, killed, put to sleep, asked for its connections.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { within } from '../support/eventually.ts';
import { lastingPort } from './processes.ts';
import type { NodeSaid, NodeStart } from './node-child.ts';

const answerWithinMs = 60_000;

/** A node with a lifetime: always of one id and port. */
export class ChaosNode {
  readonly id: string;
  /** Every process of it, in order. */
  readonly served: number[] = [];
  readonly #port: number;
  readonly #intakes: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(id: string, port: number, intakes: readonly string[]) {
    this.id = id;
    this.#port = port;
    this.#intakes = intakes;
  }

  /** Chooses its port; `start` starts it. */
  static async create(id: string, intakes: readonly string[]): Promise<ChaosNode> {
    return new ChaosNode(id, await lastingPort(), intakes);
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const child = fork(join(import.meta.dirname, 'node-child.ts'), {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.#child = child;
    if (child.pid !== undefined) this.served.push(child.pid);
    const start: NodeStart = { id: this.id, port: this.#port, intakes: this.#intakes };
    child.send(start);
    await within(once(child, 'message'), `${this.id} listens`, answerWithinMs);
  }

  /** Connections that it has. */
  async connections(): Promise<number> {
    const child = this.#child;
    if (child === undefined) return 0;
    const answer = once(child, 'message');
    child.send({});
    // Proof of `as`: what node-child.ts sends.
    const [said] = (await within(answer, `an answer of ${this.id}`, answerWithinMs)) as [NodeSaid];
    return said.connections;
  }

  sleep(): void {
    this.#child?.kill('SIGSTOP');
  }

  wake(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Ends it at once; resolves when it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}
