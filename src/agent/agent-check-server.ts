// The TCP port where HAProxy asks the agent. It answers whoever connects; what it answers is agent-check.ts's.
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../core/clock.ts';
import type { AgentEvent } from './event.ts';
import type { AgentCheckSettings } from './options.ts';
import type { AgentCheckStatus } from './status.ts';

/** More than a fleet of HAProxy processes asks at once. */
const maxOpen = 64;
/** An asker that has not closed by then is slow or half open; it has its answer. */
const lingerMs = 1000;
/** `agent-send` is a short name; who sends more than this is no HAProxy. */
const maxIgnoredBytes = 4096;
/** The port of a process that is being replaced becomes free when that one ends. */
const retryMs = 1000;

/** What the port needs. */
export interface AgentCheckServerParts {
  readonly settings: Pick<AgentCheckSettings, 'host' | 'port'>;
  readonly clock: Clock;
  /** The answer now, with its line feed. */
  readonly line: () => string;
  readonly tell: (event: AgentEvent) => void;
}

/** A port that is open, or is tried again until it is. */
export interface AgentCheckServer {
  readonly status: Pick<AgentCheckStatus, 'state' | 'address'>;
  /** Closes the port and every connection at once. Idempotent. */
  close(): Promise<void>;
}

/** Opens a port. */
export type OpenAgentCheckServer = (parts: AgentCheckServerParts) => AgentCheckServer;

/** Opens the port; neither it nor a connection keeps the process alive. Failures are told and tried again. */
export const openAgentCheckServer: OpenAgentCheckServer = (parts) => new TcpAgentCheckServer(parts);

class TcpAgentCheckServer implements AgentCheckServer {
  readonly #parts: AgentCheckServerParts;
  /** The oldest first. */
  readonly #open = new Map<Socket, Timer>();
  #server: Server;
  #state: AgentCheckStatus['state'] = 'opening';
  #address: string | undefined;
  #toldCode: string | undefined;
  #retry: Timer | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: AgentCheckServerParts) {
    this.#parts = parts;
    this.#server = this.#listen();
  }

  get status(): Pick<AgentCheckStatus, 'state' | 'address'> {
    return { state: this.#state, address: this.#address };
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  #listen(): Server {
    const { host, port } = this.#parts.settings;
    const server = createServer({ noDelay: true }, (socket) => this.#answer(socket));
    server.on('error', (error) => this.#fail(error));
    server.on('listening', () => this.#succeed());
    // Exclusive, since the workers of a cluster would otherwise share the port and HAProxy hear one after another.
    server.listen({ host, port, exclusive: true });
    server.unref();
    return server;
  }

  /**
   * Answers at once, `agent-send` or not: the answer is the same whoever asks. Then it reads on until the asker
   * closes, since closing with unread bytes makes the kernel reset the connection and the answer may be lost.
   */
  #answer(socket: Socket): void {
    socket.on('error', () => {
      // 'close' follows.
    });
    socket.unref();
    // In a flood the oldest goes, not the newest: it has had its answer, and the newest may be HAProxy.
    if (this.#open.size >= maxOpen) this.#open.keys().next().value?.destroy();
    const timer = this.#parts.clock.schedule(lingerMs, () => socket.destroy());
    this.#open.set(socket, timer);
    socket.on('close', () => {
      timer.cancel();
      this.#open.delete(socket);
    });
    socket.on('data', () => {
      if (socket.bytesRead > maxIgnoredBytes) socket.destroy();
    });
    socket.end(this.#parts.line());
    if (this.#state === 'failing') this.#succeed();
  }

  #succeed(): void {
    // Closed while it was being opened: `#end` waits for this.
    if (this.#closing !== undefined) return;
    const bound = this.#server.address();
    if (typeof bound !== 'object' || bound === null) return;
    this.#state = 'listening';
    this.#toldCode = undefined;
    this.#address = formatAddress(bound.address, bound.port);
    this.#parts.tell({ type: 'agentCheckOpen', address: this.#address });
  }

  /** The port could not be opened, or a connection not accepted; the second leaves the port open. */
  #fail(error: NodeJS.ErrnoException): void {
    if (this.#closing !== undefined) return;
    const { settings, clock, tell } = this.#parts;
    this.#state = 'failing';
    if (!this.#server.listening) this.#retry = clock.schedule(retryMs, () => (this.#server = this.#listen()));
    const cause = error.code ?? error.message;
    if (this.#toldCode === cause) return;
    this.#toldCode = cause;
    const where = formatAddress(settings.host, settings.port);
    const message = `agentCheck cannot listen on ${where}: ${cause}; free the port or choose another`;
    tell({ type: 'agentCheckFailing', failure: { code: 'HERALD_LISTEN_FAILED', message } });
  }

  async #end(): Promise<void> {
    this.#state = 'closed';
    this.#address = undefined;
    this.#retry?.cancel();
    const server = this.#server;
    await new Promise<void>((resolve) => {
      server.once('close', resolve);
      server.close((error) => {
        // Not open: it failed before, or it is opening at this moment and is closed when it has.
        if (error === undefined) return;
        server.once('listening', () => server.close());
        resolve();
      });
      for (const socket of this.#open.keys()) socket.destroy();
    });
  }
}

function formatAddress(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
