// The clients of a run: how they come, change, lose their connection, come back and go. Where they are placed is in placement.ts.
import type { Rng } from '../../core/rng.ts';
import { exponential, lognormal, poisson, quickRng, normal } from '../chance.ts';
import { countWork, newClient, type Client, type CrowdCounts, type Disconnection } from './client.ts';
import { arrivalsPerSecond } from './curve.ts';
import type { Placement } from './placement.ts';
import { scaleStepMs, type ScaleScenario } from './scale-scenario.ts';

type Event =
  | { readonly kind: 'end' | 'redraw' | 'return'; readonly client: Client }
  /** Heard for long enough, if it still has the connection of then. */
  | { readonly kind: 'known'; readonly client: Client; readonly openedAtMs: number };

// A relay knows a rate after some seconds: a few dozen messages. Then it is taken to know it exactly.
const knownAfterMs = 10_000;
const noiseMemoryMs = 600_000;

/** Everybody who uses the fleet. */
export class Crowd {
  readonly counts: CrowdCounts = { opened: 0, closed: 0, open: 0, refused: 0, cut: 0, drained: 0, moved: 0 };
  /** Asked to leave and not back yet. */
  away = 0;
  readonly #scenario: ScaleScenario;
  readonly #placement: Placement;
  readonly #seed: number;
  readonly #arrivals: Rng;
  readonly #returns: Rng;
  readonly #events: (Event[] | undefined)[] = [];
  #nextId = 0;
  #nowMs = 0;
  #noise = 0;

  constructor(scenario: ScaleScenario, placement: Placement, seed: number) {
    this.#scenario = scenario;
    this.#placement = placement;
    this.#seed = seed;
    this.#arrivals = quickRng(seed, 1);
    this.#returns = quickRng(seed, 2);
  }

  /** What is due in this step, and who comes in it. */
  step(nowMs: number): void {
    this.#nowMs = nowMs;
    const step = nowMs / scaleStepMs;
    for (const event of this.#events[step] ?? []) this.#happen(event);
    this.#events[step] = undefined;
    const kept = Math.exp(-scaleStepMs / noiseMemoryMs);
    this.#noise = this.#noise * kept + Math.sqrt(1 - kept * kept) * normal(this.#arrivals);
    const noise = Math.max(0, 1 + this.#scenario.noise * this.#noise);
    const mean = (arrivalsPerSecond(this.#scenario, nowMs) * noise * scaleStepMs) / 1000;
    const count = poisson(this.#arrivals, mean);
    for (let index = 0; index < count; index += 1) this.#arrive();
  }

  /** Ends a connection whose client comes back. */
  disconnect(client: Client, why: Disconnection): void {
    if (client.node === undefined) return;
    this.#close(client);
    this.counts[why] += 1;
    if (why !== 'cut') this.#goAway(client, 1);
    this.#comeBack(client);
  }

  #arrive(): void {
    const rng = quickRng(this.#seed, 1000 + this.#nextId);
    this.#nextId += 1;
    const client = newClient(rng, this.#nowMs + exponential(rng, this.#scenario.holdMs));
    this.#draw(client);
    this.#schedule(client.endsAtMs, { kind: 'end', client });
    this.#connect(client);
  }

  #happen(event: Event): void {
    const { client, kind } = event;
    if (kind === 'return') {
      this.#goAway(client, -1);
      return this.#connect(client);
    }
    if (kind === 'end') return this.#close(client);
    if (kind === 'known') {
      if (client.openedAtMs === event.openedAtMs) this.#hear(client, true);
      return;
    }
    if (client.endsAtMs > this.#nowMs) this.#redraw(client);
  }

  #redraw(client: Client): void {
    const { node } = client;
    if (node !== undefined) countWork(node, client, -1);
    this.#draw(client);
    if (node !== undefined) countWork(node, client, 1);
    this.#hear(client, client.isKnown);
  }

  /** Another cost, and when the next one is due. */
  #draw(client: Client): void {
    const { costSigma, messageSigma, messagesPerSecond, redrawMs } = this.#scenario;
    // Variances of logarithms add up: together they make a cost of `costSigma`.
    const rateSigma = Math.sqrt(costSigma ** 2 - messageSigma ** 2);
    client.messagesPerSecond = messagesPerSecond * lognormal(client.rng, rateSigma);
    client.messageCost = lognormal(client.rng, messageSigma);
    this.#schedule(this.#nowMs + exponential(client.rng, redrawMs), { kind: 'redraw', client });
  }

  #connect(client: Client): void {
    if (client.endsAtMs <= this.#nowMs || client.node !== undefined) return;
    const node = this.#placement.place(this.#nowMs);
    if (node === undefined) {
      this.counts.refused += 1;
      return this.#comeBack(client);
    }
    client.node = node;
    client.position = node.clients.length;
    client.openedAtMs = this.#nowMs;
    client.isKnown = false;
    node.clients.push(client);
    countWork(node, client, 1);
    this.counts.opened += 1;
    this.counts.open += 1;
    this.#placement.opened(client, node);
    const openedAtMs = this.#nowMs;
    this.#schedule(openedAtMs + knownAfterMs, { kind: 'known', client, openedAtMs });
  }

  #close(client: Client): void {
    const { node } = client;
    if (node === undefined) return;
    const last = node.clients.pop();
    if (last !== undefined && last !== client) {
      node.clients[client.position] = last;
      last.position = client.position;
    }
    this.#placement.closed(client, node);
    countWork(node, client, -1);
    client.node = undefined;
    client.openedAtMs = NaN;
    this.counts.closed += 1;
    this.counts.open -= 1;
  }

  #hear(client: Client, isKnown: boolean): void {
    if (client.node === undefined || !isKnown) return;
    this.#placement.heard(client, client.node);
  }

  #goAway(client: Client, sign: 1 | -1): void {
    if (client.isAway === sign > 0) return;
    client.isAway = sign > 0;
    this.away += sign;
  }

  #comeBack(client: Client): void {
    const waitMs = Math.max(scaleStepMs, exponential(this.#returns, this.#scenario.reconnectMs));
    this.#schedule(this.#nowMs + waitMs, { kind: 'return', client });
  }

  // After the end of the run nothing is due.
  #schedule(atMs: number, event: Event): void {
    const step = Math.max(this.#nowMs / scaleStepMs + 1, Math.ceil(atMs / scaleStepMs));
    if (step * scaleStepMs >= this.#scenario.durationMs) return;
    const same = this.#events[step];
    if (same === undefined) this.#events[step] = [event];
    else same.push(event);
  }
}
