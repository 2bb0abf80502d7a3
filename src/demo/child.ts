// A child process of the demo: started from this package's own files, spoken to over its channel, ended for sure.
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Clock } from '../core/clock.ts';

const graceMs = 3000;

/** A child that takes `To` and answers `From`. */
export class Child<To extends object, From extends { readonly kind: string }> {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #clock: Clock;
  readonly #listeners = new Set<(message: From) => void>();
  #exit: string | undefined;

  /** Starts `module`, a file name beside this one without its extension. */
  constructor(module: string, options: { name: string; clock: Clock }) {
    this.#name = options.name;
    this.#clock = options.clock;
    // Compiled or not: a child runs what its parent runs.
    const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    const path = fileURLToPath(new URL(`./${module}.${extension}`, import.meta.url));
    this.#process = fork(path, [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#process.on('message', (message) => {
      for (const listener of this.#listeners) listener(message as From);
    });
    this.#process.on('exit', (code, signal) => (this.#exit = signal ?? `code ${code}`));
    this.#process.on('error', (error) => (this.#exit ??= error.message));
  }

  send(message: To): void {
    if (this.#exit === undefined && this.#process.connected) this.#process.send(message, () => {});
  }

  /** The next message of one of these kinds; rejects when the child fails, ends or takes longer than `withinMs`. */
  async next<Kind extends From['kind']>(
    kind: Kind,
    withinMs: number,
  ): Promise<Extract<From, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        timer.cancel();
        this.#listeners.delete(listen);
        this.#process.off('exit', exited);
        finish();
      };
      const listen = (message: From) => {
        if (message.kind === kind) settle(() => resolve(message as Extract<From, { kind: Kind }>));
        if (message.kind === 'failed')
          settle(() => reject(new Error(`${this.#name}: ${JSON.stringify(message)}`)));
      };
      const exited = () => settle(() => reject(new Error(`${this.#name} ended: ${this.#exit}`)));
      const timer = this.#clock.schedule(withinMs, () =>
        settle(() => reject(new Error(`${this.#name} did not say '${kind}' within ${withinMs} ms`))),
      );
      this.#listeners.add(listen);
      this.#process.once('exit', exited);
      if (this.#exit !== undefined) exited();
    });
  }

  /** Asks the child to stop, and kills it when it does not within a few seconds. */
  async stop(message: To): Promise<void> {
    if (this.#exit !== undefined) return;
    const ended = new Promise<void>((resolve) => this.#process.once('exit', () => resolve()));
    const timer = this.#clock.schedule(graceMs, () => this.#process.kill('SIGKILL'));
    this.send(message);
    await ended;
    timer.cancel();
  }

  /** Ends it at once. */
  kill(): void {
    if (this.#exit === undefined) this.#process.kill('SIGKILL');
  }
}
