// The UDP socket where StatsD datagrams come in, shared by all signals that they tell. Only configured names are kept,
// and only so many datagrams a second are looked into: a flood costs neither memory nor time for the rest of the agent.
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { type Address, formatAddress } from '../../policy/address.ts';
import { isRecord } from '../../protocol/field-checks.ts';
import { decodeStatsd } from '../../protocol/statsd.ts';
import type { Source } from './source.ts';
import { StatsdSignal, type StatsdSourceConfig, type StatsdTraffic } from './statsd-signal.ts';

/** What came in since the start. */
export interface StatsdCounts {
  /** All datagrams. */
  readonly datagrams: number;
  /** Dropped unread, since too many came within a second. */
  readonly flooded: number;
  /** Dropped unread, since they were too long. */
  readonly oversized: number;
  /** Lines whose name no signal reads. */
  readonly unknown: number;
  /** Lines that are not StatsD, or say nothing that Herald can use. */
  readonly malformed: number;
}

/** Senders stay below 1432 (Ethernet) or 8932 bytes (jumbo frames). */
export const maxDatagramBytes = 8932;
/** Reading one takes about half a microsecond, so all of them a hundredth of a core; who sends more should sample. */
export const maxDatagramsPerSecond = 20_000;
/** Long datagrams cost by their length: reading this much takes about 30 ms. */
export const maxBytesPerSecond = 4 * 1024 * 1024;

const windowMs = 1000;

export class StatsdServer {
  readonly #clock: Clock;
  readonly #bind: Address;
  readonly #signals = new Map<string, StatsdSignal[]>();
  readonly #traffic: StatsdTraffic;
  #socket: Socket | undefined;
  #address: string | undefined;
  #windowStartMs = Number.NEGATIVE_INFINITY;
  #windowDatagrams = 0;
  #windowBytes = 0;
  #floodedAtMs: number | undefined;
  #counts = { datagrams: 0, flooded: 0, oversized: 0, unknown: 0, malformed: 0 };

  constructor({ clock, bind }: { readonly clock: Clock; readonly bind: Address }) {
    this.#clock = clock;
    this.#bind = bind;
    const floodedAt = () => this.#floodedAtMs;
    this.#traffic = {
      get floodedAtMs() {
        return floodedAt();
      },
      summary: () => this.#summary(),
    };
  }

  /** `host:port` while open. */
  get address(): string | undefined {
    return this.#address;
  }

  get counts(): StatsdCounts {
    return { ...this.#counts };
  }

  /** The source of one signal; several may read the same name. */
  source(config: StatsdSourceConfig): Source {
    const signal = new StatsdSignal(config, this.#traffic);
    this.#signals.set(config.name, [...(this.#signals.get(config.name) ?? []), signal]);
    return {
      start: () => signal.begin(this.#clock.nowMs()),
      read: (nowMs) => signal.read(nowMs),
      // The socket is the server's to close.
      stop: async () => {},
    };
  }

  /** Opens the socket. Rejects with HERALD_LISTEN_FAILED. */
  async open(): Promise<void> {
    const { host, port } = this.#bind;
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        // Exclusive, since two agents that share a port would each see a part of the datagrams.
        socket.bind({ address: host, port, exclusive: true }, resolve);
      });
    } catch (error) {
      socket.close();
      throw listenFailed(formatAddress(this.#bind), error);
    }
    socket.removeAllListeners('error');
    // Errors of a bound socket concern single datagrams; the socket stays open.
    socket.on('error', () => (this.#counts.malformed += 1));
    socket.on('message', (datagram) => this.#take(datagram));
    const bound = socket.address();
    this.#address = formatAddress({ host: bound.address, port: bound.port });
    this.#socket = socket;
  }

  /** Closes the socket. Idempotent. */
  async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#address = undefined;
    if (socket === undefined) return;
    await new Promise<void>((resolve) => {
      socket.close(resolve);
    });
  }

  #take(datagram: Buffer): void {
    const nowMs = this.#clock.nowMs();
    this.#counts.datagrams += 1;
    if (datagram.length > maxDatagramBytes) {
      this.#counts.oversized += 1;
      return;
    }
    if (!this.#isWithinBudget(datagram.length, nowMs)) {
      this.#counts.flooded += 1;
      this.#floodedAtMs = nowMs;
      return;
    }
    const { samples, refused, unknown, malformed } = decodeStatsd(datagram, (name) =>
      this.#signals.has(name),
    );
    this.#counts.unknown += unknown;
    this.#counts.malformed += malformed + refused.length;
    for (const sample of samples) {
      for (const signal of this.#signals.get(sample.name) ?? []) signal.add(sample, nowMs);
    }
    for (const { name, reason } of refused) {
      for (const signal of this.#signals.get(name) ?? []) signal.refuse(reason);
    }
  }

  #isWithinBudget(bytes: number, nowMs: number): boolean {
    if (nowMs - this.#windowStartMs >= windowMs) {
      this.#windowStartMs = nowMs;
      this.#windowDatagrams = 0;
      this.#windowBytes = 0;
    }
    this.#windowDatagrams += 1;
    this.#windowBytes += bytes;
    return this.#windowDatagrams <= maxDatagramsPerSecond && this.#windowBytes <= maxBytesPerSecond;
  }

  #summary(): string {
    const { datagrams, flooded, oversized, unknown, malformed } = this.#counts;
    const lines = `${unknown} lines with other names, ${malformed} not readable`;
    const dropped = `${flooded} dropped past ${maxDatagramsPerSecond} a second, ${oversized} too long`;
    return `${this.#address ?? formatAddress(this.#bind)} got ${datagrams} datagrams: ${dropped}, ${lines}`;
  }
}

function listenFailed(where: string, cause: unknown): HeraldError {
  const code = isRecord(cause) && typeof cause['code'] === 'string' ? cause['code'] : String(cause);
  const hint = code === 'EADDRINUSE' ? 'another process has this port; ' : '';
  return new HeraldError(
    'HERALD_LISTEN_FAILED',
    `statsd cannot listen on ${where} (UDP): ${code}; ${hint}free the port or choose another as statsd.bind`,
    { address: where, code },
    { cause },
  );
}
