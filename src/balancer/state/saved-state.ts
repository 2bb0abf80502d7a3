// What survives a restart of a single balancer: named sections in one text, written seldom and read once. What a
// section holds is its own business; files are platform/state-file.ts.
import type { Clock, Timer } from '../../core/clock.ts';
import type { Notify } from './notice.ts';
import type { StateSection, StateStore } from './ports.ts';

/** What a saved state is made with. */
export interface SavedStateDeps {
  /** Undefined: nothing is kept on disk, only handed over. */
  readonly store: StateStore | undefined;
  /** In the order in which they are restored. */
  readonly sections: readonly StateSection[];
  readonly clock: Clock;
  /** One line for each thing that an operator should know. */
  readonly warn: Notify;
  readonly notify: Notify;
  readonly onWrite: (outcome: 'written' | 'failed') => void;
}

const format = 'herald-state';
const version = 1;
// A killed balancer loses at most this; writing 5,000 nodes takes the event loop some milliseconds.
const writeEveryMs = 5000;
// Older than this, what was saved is no longer about this fleet. A clock that was set back shows as an age below 0:
// a minute of that is an ordinary correction, more means that the age is unknown.
const oldestMs = 24 * 60 * 60_000;
const clockSlackMs = 60_000;
// A file system that hangs must not keep the process from ending.
const stopWithinMs = 2000;

interface Document {
  readonly savedAtMs: number;
  readonly sections: Readonly<Record<string, unknown>>;
}

/** Saved state with a lifetime: `restore` before anything listens, then `start`, then `stop`. */
export class SavedState {
  readonly #deps: SavedStateDeps;
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  #writtenRevision = '';
  #isFailing = false;
  #isOff = false;

  constructor(deps: SavedStateDeps) {
    this.#deps = deps;
  }

  /**
   * Hands what was saved to the sections: `handed` by the process before, else what the store has. Never rejects:
   * whatever is wrong is told, and nothing is restored.
   */
  async restore(handed?: string): Promise<void> {
    const { store, warn } = this.#deps;
    if (handed !== undefined) {
      const document = parse(handed);
      if (typeof document !== 'string') return this.#hand(document);
      return warn('state handed over is not understood: starting without it', { reason: document });
    }
    if (store === undefined) return;
    const stored = await store.read();
    if (stored.kind === 'absent') return;
    if (stored.kind === 'unreadable') {
      // It may be somebody's: what cannot be looked at is not written over.
      this.#turnOff();
      warn('saved state cannot be read: nothing is restored or saved', { reason: stored.reason });
      return;
    }
    const document = stored.kind === 'text' ? parse(stored.text) : stored.reason;
    if (typeof document === 'string') return this.#putAside(store, document);
    this.#hand(document);
  }

  /** Saves from now on, when something has changed. */
  start(): void {
    if (this.#isOff || this.#deps.store === undefined) return;
    this.#timer = this.#deps.clock.repeat(writeEveryMs, () => void this.#writeIfChanged());
  }

  /** Saves a last time if `start` was called. Idempotent; ends within two seconds whatever the disk does. */
  async stop(): Promise<void> {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    let deadline: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      deadline = this.#deps.clock.schedule(stopWithinMs, resolve);
    });
    await Promise.race([this.#writeLast(), late]);
    deadline?.cancel();
  }

  /** Saves nothing more, and resolves with everything, when the last writing has ended. `start` takes it back. */
  async handOver(): Promise<string> {
    this.#timer?.cancel();
    this.#timer = undefined;
    await this.#writing;
    return this.#text();
  }

  async #writeLast(): Promise<void> {
    await this.#writing;
    await this.#writeIfChanged();
  }

  #turnOff(): void {
    this.#isOff = true;
    this.#deps.onWrite('failed');
  }

  async #putAside(store: StateStore, reason: string): Promise<void> {
    const { warn } = this.#deps;
    try {
      warn('saved state put aside: starting without it', { reason, movedTo: await store.setAside() });
    } catch (error) {
      this.#turnOff();
      warn('saved state can neither be used nor put aside: nothing is saved', {
        reason,
        error: messageOf(error),
      });
    }
  }

  #hand({ savedAtMs, sections }: Document): void {
    const { clock, warn, notify } = this.#deps;
    const ageMs = clock.wallMs() - savedAtMs;
    if (ageMs < -clockSlackMs || ageMs > oldestMs) {
      const seconds = Math.round(ageMs / 1000);
      const why = ageMs < 0 ? 'it is from the future: a clock has been set back' : 'it is too old';
      warn('saved state not used', { reason: why, ageSeconds: seconds });
      return;
    }
    const restored: Record<string, number> = {};
    for (const section of this.#deps.sections) {
      if (!Object.hasOwn(sections, section.name)) continue;
      const count = section.restore(sections[section.name], Math.max(0, ageMs));
      if (count === undefined)
        warn('a section of the saved state is not understood', { section: section.name });
      else restored[section.name] = count;
    }
    notify('saved state restored', { ageSeconds: Math.round(ageMs / 1000), ...restored });
  }

  #writeIfChanged(): Promise<void> {
    if (this.#writing !== undefined) return this.#writing;
    const revision = this.#deps.sections.map((section) => section.revision()).join();
    if (revision === this.#writtenRevision) return Promise.resolve();
    this.#writing = this.#write(revision).finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #write(revision: string): Promise<void> {
    const { store, warn, notify, onWrite } = this.#deps;
    try {
      await store?.write(this.#text());
      this.#writtenRevision = revision;
      onWrite('written');
      if (this.#isFailing) notify('state is saved again', {});
      this.#isFailing = false;
    } catch (error) {
      onWrite('failed');
      if (!this.#isFailing)
        warn('state cannot be saved: a restart will begin without it', { error: messageOf(error) });
      this.#isFailing = true;
    }
  }

  #text(): string {
    const { sections, clock } = this.#deps;
    const saved = sections.map((section) => [section.name, section.save()] as const);
    const savedAtMs = Math.round(clock.wallMs());
    return `${JSON.stringify({ format, version, savedAtMs, sections: Object.fromEntries(saved) })}\n`;
  }
}

/** The document, or why the text is none. */
function parse(text: string): Document | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return 'it is not JSON: written by something else, or cut off';
  }
  if (!isRecord(value) || value['format'] !== format) return `it is not a ${format} file`;
  if (value['version'] !== version)
    return `it has version ${JSON.stringify(value['version'])}, this Herald reads ${version}`;
  const { savedAtMs, sections } = value;
  if (typeof savedAtMs !== 'number' || !isRecord(sections)) return 'it lacks savedAtMs or sections';
  return { savedAtMs, sections };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
