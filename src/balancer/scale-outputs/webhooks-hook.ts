// One webhook of the configuration: its receiver, its deliveries, and how it fares.
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '../../core/clock.ts';
import type { Rng } from '../../core/rng.ts';
import type { WebhookConfig } from '../../policy/config.ts';
import { isoTime } from '../../protocol/iso-time.ts';
import type { Scaling } from '../../protocol/scaling.ts';
import type { WebhookView } from '../../protocol/webhooks.ts';
import type { QueueBounds } from './delivery-queue.ts';
import type { DeliveryNote, LostNote } from './delivery-ports.ts';
import { Delivery } from './delivery.ts';
import { gistOf, isWanted, scaleRecommended, type Outgoing } from './webhooks-event.ts';
import { createPoster, type Poster, type Receiver } from './webhooks-post.ts';

/** What came of deliveries: `retried` counts failed attempts with another to follow. */
export type DeliveryOutcome = DeliveryNote['kind'];

/** What a webhook tells of itself. */
export type HookNews = { readonly kind: 'failing' | 'recovered'; readonly reason: string } | LostNote;

/** What a webhook is made with. */
export interface HookDeps {
  readonly clock: Clock;
  readonly rng: Rng;
  readonly version: string;
  readonly news: (webhook: string, news: HookNews) => void;
}

// One lost packet is no news; three in a row are a receiver that does not answer.
const failingAfter = 3;

/** A webhook with a lifetime. */
export class Hook {
  readonly delivery: Delivery;
  readonly counts: Record<DeliveryOutcome, number> = { delivered: 0, retried: 0, dead: 0, forgotten: 0 };
  readonly #deps: HookDeps;
  /** Of the last recommendation of each pool. */
  readonly #gists = new Map<string, string>();
  #config: WebhookConfig;
  #poster: Poster;
  #failures = 0;
  #lastDeliveredAt: string | null = null;
  #lastFailure: WebhookView['lastFailure'] = null;

  constructor(config: WebhookConfig, bounds: QueueBounds, deps: HookDeps) {
    this.#deps = deps;
    this.#config = config;
    this.#poster = createPoster(config, deps);
    const { clock, rng } = deps;
    const note = (told: DeliveryNote) => this.#hear(told);
    this.delivery = new Delivery({ clock, rng, note, ...this.#settings(bounds) });
  }

  get config(): WebhookConfig {
    return this.#config;
  }

  /** From the next attempt on; what is under way ends with the old settings. */
  configure(config: WebhookConfig, bounds: QueueBounds): void {
    const isSame = isDeepStrictEqual(receiverOf(this.#config), receiverOf(config));
    this.#config = config;
    // The old one is left to what it sends now: its connections close by themselves when they are idle.
    if (!isSame) this.#poster = createPoster(config, this.#deps);
    this.delivery.configure(this.#settings(bounds));
  }

  wants(event: { readonly type: string; readonly pool: string }): boolean {
    return isWanted(this.#config, event);
  }

  /** Whether this recommendation says something else than the last one of its pool did; it is the last one then. */
  isNews(scaling: Scaling): boolean {
    if (!this.wants({ type: scaleRecommended, pool: scaling.pool })) return false;
    const gist = gistOf(scaling);
    if (this.#gists.get(scaling.pool) === gist) return false;
    this.#gists.set(scaling.pool, gist);
    return true;
  }

  offer(event: Outgoing): void {
    this.delivery.offer({ ...event, queuedAtMs: this.#deps.clock.nowMs(), attempts: 0, reason: '' });
  }

  async stop(withinMs: number): Promise<void> {
    await this.delivery.stop(withinMs);
    this.#poster.close();
  }

  view(): WebhookView {
    const { name, url, pools, events } = this.#config;
    const { queue, deadLetters } = this.delivery;
    const { clock } = this.#deps;
    const oldest = queue.oldestAtMs;
    const hasTried = this.#lastDeliveredAt !== null || this.#lastFailure !== null;
    return {
      name,
      url: url.replace(/\?.*$/, '?…'),
      pools: pools === 'all' ? null : pools,
      events,
      state: this.#isFailing ? 'failing' : hasTried ? 'working' : 'idle',
      queued: queue.size,
      oldestAgeMs: oldest === undefined ? null : Math.max(0, Math.round(clock.nowMs() - oldest)),
      deadLetters: deadLetters.length,
      delivered: this.counts.delivered,
      lastDeliveredAt: this.#lastDeliveredAt,
      lastFailure: this.#lastFailure,
    };
  }

  get #isFailing(): boolean {
    return this.#failures >= failingAfter;
  }

  #settings(bounds: QueueBounds): Parameters<Delivery['configure']>[0] {
    const { attempts, maxAgeMs } = this.#config;
    const poster = this.#poster;
    return { send: (event, signal) => poster.send(event, signal), rule: { attempts, maxAgeMs }, bounds };
  }

  #hear(note: DeliveryNote): void {
    this.counts[note.kind] += 1;
    const { news, clock } = this.#deps;
    if (note.kind === 'delivered') {
      const wasFailing = this.#isFailing;
      this.#failures = 0;
      this.#lastDeliveredAt = isoTime(clock.wallMs());
      if (wasFailing) news(this.#config.name, { kind: 'recovered', reason: '' });
      return;
    }
    // What is pushed out by newer events was not tried now: it says nothing new of the receiver.
    if (note.kind === 'retried' || note.wasTried) {
      this.#failures += 1;
      this.#lastFailure = { at: isoTime(clock.wallMs()), reason: note.reason };
      if (this.#failures === failingAfter) news(this.#config.name, { kind: 'failing', reason: note.reason });
    }
    if (note.kind !== 'retried') news(this.#config.name, note);
  }
}

function receiverOf({ url, secrets, timeoutMs, ca }: WebhookConfig): Receiver {
  return { url, secrets, timeoutMs, ca };
}
