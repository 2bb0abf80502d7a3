// All webhooks of a configuration: they hear what happens and what is recommended, and tell their receivers. Deliveries
// are delivery.ts's work, the API is in balancer/admin.
import { HeraldError } from '../../core/error.ts';
import type { WebhookConfig } from '../../policy/config.ts';
import type { DeadLetter, DeadLetterList, WebhookEvent, WebhookView } from '../../protocol/webhooks.ts';
import type { EventFeed, ScaleFeed } from '../control/ports.ts';
import type { StateSection } from '../state/ports.ts';
import type { DeadEvent } from './delivery-dead.ts';
import type { QueueBounds } from './delivery-queue.ts';
import { createEventWriter, scaleRecommended } from './webhooks-event.ts';
import { Hook, type DeliveryOutcome, type HookDeps, type HookNews } from './webhooks-hook.ts';
import { newsEvent, removedEvent } from './webhooks-news.ts';
import { createWebhooksSection, savedEvent } from './webhooks-section.ts';

/** What webhooks are made with. */
export interface WebhooksDeps extends Pick<HookDeps, 'clock' | 'rng' | 'version'> {
  readonly events: Pick<EventFeed, 'listen'>;
  /** Tells what an operator should know of webhooks themselves. */
  readonly tell: EventFeed['tell'];
  readonly scaling: Pick<ScaleFeed, 'onScaling'>;
}

/** What metrics read. */
export interface WebhookFigures {
  readonly webhook: string;
  readonly counts: Readonly<Record<DeliveryOutcome, number>>;
  readonly queued: number;
  /** 0 when nothing waits. */
  readonly oldestAgeMs: number;
  readonly deadLetters: number;
}

// Shared by all webhooks: with dead letters half as much again, and all of it has room in the state file (8 MiB)
// beside what 5,000 nodes have taught.
const maxAllBytes = 2 * 1024 * 1024;
const maxEvents = 1000;

/** Webhooks with a lifetime: `section` is restored, then `start`, then `stop`. */
export class Webhooks {
  /** Events that wait and dead letters survive a restart. */
  readonly section: StateSection;
  readonly #deps: WebhooksDeps;
  readonly #hooks = new Map<string, Hook>();
  readonly #writer: ReturnType<typeof createEventWriter>;
  readonly #endings: (() => void)[] = [];
  #isRunning = false;
  #revision = 0;

  constructor(deps: WebhooksDeps, configs: readonly WebhookConfig[]) {
    this.#deps = deps;
    const epoch = Math.floor(deps.clock.wallMs()).toString(36);
    this.#writer = createEventWriter({ version: deps.version, epoch });
    this.configure(configs);
    this.section = createWebhooksSection({
      revision: () => this.#sumOfRevisions(),
      save: () => this.#save(),
      restore: (name, saved) => this.#restore(name, saved),
      nowMs: () => deps.clock.nowMs(),
    });
  }

  /** Hears and sends from now on. */
  start(): void {
    this.#isRunning = true;
    const { events, scaling } = this.#deps;
    this.#endings.push(
      events.listen((record) => {
        // Every recommendation comes from the loop already, with all its figures.
        if (record.type === scaleRecommended) return;
        const wanting = [...this.#hooks.values()].filter((hook) => hook.wants(record));
        if (wanting.length === 0) return;
        const event = this.#writer.ofRecord(record);
        for (const hook of wanting) hook.offer(event);
      }),
    );
    const ending = scaling.onScaling((each) => {
      const wanting = [...this.#hooks.values()].filter((hook) => hook.isNews(each));
      if (wanting.length === 0) return;
      const event = this.#writer.ofScaling(each);
      for (const hook of wanting) hook.offer(event);
    });
    this.#endings.push(ending);
    for (const hook of this.#hooks.values()) hook.delivery.start();
  }

  /** Takes other settings over by name. What waits for a webhook that is gone is given up, and told. */
  configure(configs: readonly WebhookConfig[]): void {
    this.#revision += 1;
    const bounds = boundsFor(configs.length);
    for (const [name, hook] of this.#hooks) {
      if (configs.some((each) => each.name === name)) continue;
      this.#hooks.delete(name);
      void hook.stop(0);
      const { size } = hook.delivery.queue;
      if (size > 0) this.#deps.tell(removedEvent(name, size));
    }
    for (const config of configs) {
      const known = this.#hooks.get(config.name);
      if (known !== undefined) known.configure(config, bounds);
      else this.#add(config, bounds);
    }
  }

  /** Hears nothing any more, and tries everything that waits once more for at most `withinMs`. Idempotent. */
  async stop(withinMs: number): Promise<void> {
    this.#isRunning = false;
    for (const end of this.#endings.splice(0)) end();
    await Promise.all([...this.#hooks.values()].map((hook) => hook.stop(withinMs)));
  }

  /** In order of configuration. */
  list(): readonly WebhookView[] {
    return [...this.#hooks.values()].map((hook) => hook.view());
  }

  /** The newest last. HERALD_WEBHOOK_UNKNOWN. */
  deadLetters(name: string): DeadLetterList['deadLetters'] {
    return this.#hook(name).delivery.deadLetters.map((letter) => ({
      ...summaryOf(letter),
      // Proof of the cast: it was written here, or by an earlier process in the same form.
      event: JSON.parse(letter.event.body) as WebhookEvent,
    }));
  }

  /** Sends a dead letter once more. HERALD_WEBHOOK_UNKNOWN, HERALD_DEAD_LETTER_UNKNOWN. */
  redeliver(name: string, id: string): void {
    if (this.#hook(name).delivery.redeliver(id)) return;
    const message = `webhook '${name}' has no dead letter '${id}': it was sent again or is forgotten`;
    throw new HeraldError('HERALD_DEAD_LETTER_UNKNOWN', message, { webhook: name, id });
  }

  figures(): readonly WebhookFigures[] {
    return [...this.#hooks].map(([webhook, hook]) => {
      const { queued, oldestAgeMs, deadLetters } = hook.view();
      return { webhook, counts: hook.counts, queued, oldestAgeMs: oldestAgeMs ?? 0, deadLetters };
    });
  }

  #hook(name: string): Hook {
    const hook = this.#hooks.get(name);
    if (hook !== undefined) return hook;
    throw new HeraldError('HERALD_WEBHOOK_UNKNOWN', `there is no webhook '${name}'`, { webhook: name });
  }

  #add(config: WebhookConfig, bounds: QueueBounds): void {
    const { clock, rng, version, tell } = this.#deps;
    const news = (name: string, told: HookNews) => tell(newsEvent(name, told));
    const hook = new Hook(config, bounds, { clock, rng, version, news });
    this.#hooks.set(config.name, hook);
    if (this.#isRunning) hook.delivery.start();
  }

  #sumOfRevisions(): number {
    return [...this.#hooks.values()].reduce((sum, { delivery }) => sum + delivery.revision, this.#revision);
  }

  #save(): ReturnType<Parameters<typeof createWebhooksSection>[0]['save']> {
    const nowMs = this.#deps.clock.nowMs();
    const saved = [...this.#hooks].map(([name, { delivery }]) => {
      const waiting = delivery.queue.events.map((event) => savedEvent(event, nowMs));
      const dead = delivery.deadLetters.map(({ event, diedAt, reason }) => {
        return { ...savedEvent(event, nowMs), diedAt, reason };
      });
      return [name, { waiting, dead }] as const;
    });
    return Object.fromEntries(saved);
  }

  #restore(
    name: string,
    { waiting, dead }: Parameters<Parameters<typeof createWebhooksSection>[0]['restore']>[1],
  ): boolean {
    const delivery = this.#hooks.get(name)?.delivery;
    if (delivery === undefined) return false;
    for (const letter of dead) delivery.restoreDead(letter);
    for (const event of waiting) delivery.offer(event);
    return true;
  }
}

function boundsFor(webhooks: number): QueueBounds {
  return { maxEvents, maxBytes: Math.floor(maxAllBytes / Math.max(1, webhooks)) };
}

function summaryOf({ event, diedAt, reason }: DeadEvent): DeadLetter {
  const { id, type, pool, at, attempts } = event;
  return { id, type, pool, at, diedAt, attempts, reason };
}
