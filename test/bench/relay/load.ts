// The other process of the relay benchmark: clients and their node in one event loop, so that none of their work is
// charged to a subject. On raw wires it does about the work of a relay, so that a good subject is kept busy.
import { createTransport } from '../../../src/balancer/proxy/transport.ts';
import type { Transport } from '../../../src/balancer/proxy/wire.ts';
import { TlsClient, WireClient, type ClientOwner, type LoadClient, type SessionKeeper } from './client.ts';
import { startEchoNode } from './echo-node.ts';
import { Pace } from './pace.ts';
import { messageOf, type LoadAnswer, type LoadCommand, type LoadReady, type Security } from './words.ts';

type Open = Extract<LoadCommand, { kind: 'open' }>;
type Handshakes = Extract<LoadCommand, { kind: 'handshakes' }>;

const openAtOnce = 32;
// For what is under way when the time is over.
const settleMs = 50;
const noMessage = Buffer.alloc(0);

function fail(error: unknown): never {
  process.stderr.write(`load: ${String(error)}\n`);
  process.exit(1);
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

class Load implements ClientOwner {
  readonly #transport: Transport;
  /** Sessions by the port of their subject. */
  readonly #keepers = new Map<number, SessionKeeper>();
  #clients: LoadClient[] = [];
  #onOpen: (client: LoadClient) => void = () => {};
  #onAnswer: (client: LoadClient) => void = () => {};

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  opened(client: LoadClient): void {
    this.#onOpen(client);
  }

  answered(client: LoadClient): void {
    this.#onAnswer(client);
  }

  failed(error: Error): void {
    fail(error);
  }

  async obey(command: LoadCommand): Promise<LoadAnswer> {
    if (command.kind === 'open') return this.#open(command);
    if (command.kind === 'run') return this.#run(command.durationMs);
    if (command.kind === 'pace') return this.#pace(command);
    if (command.kind === 'handshakes') return this.#handshakes(command);
    for (const client of this.#clients) client.close();
    this.#clients = [];
    return answerOf(0);
  }

  async #open({ port, connections, payloadBytes, security }: Open): Promise<LoadAnswer> {
    const frame = messageOf(payloadBytes);
    await this.#each(connections, openAtOnce, () => {
      this.#clients.push(this.#connect(port, frame, security));
    });
    return answerOf(connections);
  }

  async #run(durationMs: number): Promise<LoadAnswer> {
    let count = 0;
    let isRunning = true;
    this.#onAnswer = (client) => {
      count += 1;
      if (isRunning) client.send();
    };
    for (const client of this.#clients) client.send();
    await pause(durationMs);
    isRunning = false;
    await pause(settleMs);
    return answerOf(count);
  }

  async #pace({ durationMs, perSecond }: { durationMs: number; perSecond: number }): Promise<LoadAnswer> {
    const pace = new Pace(this.#clients, { durationMs, perSecond });
    this.#onAnswer = (client) => pace.answered(client);
    await pace.run();
    await pause(settleMs);
    return { count: pace.count, p50Us: pace.quantileUs(0.5), p99Us: pace.quantileUs(0.99) };
  }

  async #handshakes({ port, count, parallel, security }: Handshakes): Promise<LoadAnswer> {
    await this.#each(
      count,
      parallel,
      () => void this.#connect(port, noMessage, security),
      (client) => client.close(),
    );
    return answerOf(count);
  }

  /** Begins `count` clients, so many at once, until all have opened. */
  #each(
    count: number,
    atOnce: number,
    begin: () => void,
    opened: (client: LoadClient) => void = () => {},
  ): Promise<void> {
    return new Promise((resolve) => {
      let begun = 0;
      let left = count;
      const next = (): void => {
        if (begun === count) return;
        begun += 1;
        begin();
      };
      this.#onOpen = (client) => {
        opened(client);
        left -= 1;
        if (left === 0) resolve();
        else next();
      };
      for (let i = 0; i < atOnce; i += 1) next();
    });
  }

  #connect(port: number, frame: Buffer, security: Security): LoadClient {
    if (security === 'none') return new WireClient(this, frame, { transport: this.#transport, port });
    const keeper = this.#keepers.get(port) ?? { session: undefined };
    this.#keepers.set(port, keeper);
    return new TlsClient(this, frame, { port, keeper, resumes: security === 'resumed' });
  }
}

function answerOf(count: number): LoadAnswer {
  return { count, p50Us: 0, p99Us: 0 };
}

const transport = await createTransport({ form: 'auto' });
const load = new Load(transport);
const nodePort = await startEchoNode(transport);
process.on('message', (command) => {
  // The parent is bench.ts and sends nothing else.
  load.obey(command as LoadCommand).then((answer) => process.send?.(answer), fail);
});
process.on('disconnect', () => process.exit(0));
process.send?.({ nodePort } satisfies LoadReady);
