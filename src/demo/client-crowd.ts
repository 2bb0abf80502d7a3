// The demo's clients in their process: sent off by a plan, counted at the end. What the nodes do meanwhile is not here.
import type { Balancer } from '../balancer/balancer.ts';
import type { Clock } from '../core/clock.ts';
import { Child } from './child.ts';
import type { FromClients, ToClients } from './messages.ts';
import { planTraffic, type TrafficShape } from './traffic.ts';

/** What the clients of a run have seen. */
export type ClientFigures = Extract<FromClients, { kind: 'finished' }>;

const answerWithinMs = 3000;

/** One process of clients: `connect`, then `finish`; `kill` in any case. */
export class ClientCrowd {
  readonly #child: Child<ToClients, FromClients>;

  constructor(clock: Clock) {
    this.#child = new Child('client-process', { name: 'clients', clock });
  }

  /** Sends them to the balancer's public listener as planned. */
  connect(balancer: Balancer, traffic: TrafficShape, seed: number): void {
    const url = `ws://127.0.0.1:${balancer.listenerPort('public')}/`;
    this.#child.send({ kind: 'start', url, plans: planTraffic(traffic, seed) });
  }

  /** Has them hang up, and resolves with what they have seen. Rejects when their process fails. */
  async finish(): Promise<ClientFigures> {
    const finished = this.#child.next('finished', answerWithinMs);
    this.#child.send({ kind: 'stop' });
    return finished;
  }

  /** Ends their process at once. */
  kill(): void {
    this.#child.kill();
  }
}
