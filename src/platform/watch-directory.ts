// Tells when files have changed: by what is in them, not by what the file system says happened. Rename-writing
// editors, Kubernetes' swap of the ..data link and plain writes all end in other bytes under the same name.
import { createHash } from 'node:crypto';
import { type FSWatcher, watch } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock, Timer } from '../core/clock.ts';

// Editors write in several steps; one reading after the last of them sees a whole file.
const debounceMs = 100;
// Network file systems, bind mounts of single files and links that lead elsewhere send no events.
const pollMs = 10_000;

/** What to watch, and whom to tell. */
export interface WatchOptions {
  /** Files, which need not exist yet. */
  readonly paths?: readonly string[];
  /** Directories whose *.yaml and *.yml count; not those below them. They need not exist yet. */
  readonly directories?: readonly string[];
  readonly clock: Clock;
  /** Called when a name or its bytes differ from last time; must not throw. Never called after `close`. */
  onChange(): void;
}

/** A running watch. */
export interface FileWatch {
  /** Resolves when the first state has been read: later changes are told. Never rejects. */
  readonly ready: Promise<void>;
  /** Ends it; idempotent. */
  close(): void;
}

/** Starts watching. */
export function watchFiles(options: WatchOptions): FileWatch {
  const watched = new WatchedFiles(options);
  return { ready: watched.start(), close: () => watched.close() };
}

class WatchedFiles {
  readonly #options: WatchOptions;
  readonly #watchers = new Map<string, FSWatcher>();
  #poll: Timer | undefined;
  #debounce: Timer | undefined;
  #digest = '';
  #isClosed = false;
  #isReading = false;
  #isStale = false;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#arm();
    this.#digest = await this.#read();
    if (this.#isClosed) return;
    this.#poll = this.#options.clock.repeat(pollMs, () => void this.#compare());
  }

  close(): void {
    this.#isClosed = true;
    this.#poll?.cancel();
    this.#debounce?.cancel();
    this.#disarm();
  }

  /** Watches each directory once. One that cannot be watched is left to the poll, which tries again. */
  #arm(): void {
    const { paths = [], directories = [] } = this.#options;
    for (const directory of new Set([...directories, ...paths.map((path) => dirname(path))])) {
      if (this.#watchers.has(directory)) continue;
      try {
        const watcher = watch(directory, { persistent: false }, () => this.#schedule());
        watcher.on('error', () => this.#drop(directory));
        this.#watchers.set(directory, watcher);
      } catch {
        continue;
      }
    }
  }

  #drop(directory: string): void {
    this.#watchers.get(directory)?.close();
    this.#watchers.delete(directory);
  }

  #disarm(): void {
    for (const directory of this.#watchers.keys()) this.#drop(directory);
  }

  #schedule(): void {
    if (this.#isClosed) return;
    this.#debounce?.cancel();
    this.#debounce = this.#options.clock.schedule(debounceMs, () => void this.#compare());
  }

  /** One reading at a time: an older one that ends later would bring back an old digest. */
  async #compare(): Promise<void> {
    this.#isStale = true;
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isStale && !this.#isClosed) {
      this.#isStale = false;
      // Anew, since a watcher stays with the old directory when another takes its name; before the reading, so
      // that what changes during it is told.
      this.#disarm();
      this.#arm();
      this.#settle(await this.#read());
    }
    this.#isReading = false;
  }

  #settle(digest: string): void {
    if (this.#isClosed || digest === this.#digest) return;
    this.#digest = digest;
    this.#options.onChange();
  }

  /** A digest of names and bytes. What cannot be read counts as absent. */
  async #read(): Promise<string> {
    const { paths = [], directories = [] } = this.#options;
    const listed = await Promise.all(directories.map(listYaml));
    const digest = createHash('sha256');
    for (const path of [...paths, ...listed.flat()]) {
      const bytes = await readFile(path).catch(() => undefined);
      digest.update(`${path}\0${bytes === undefined ? 'absent' : bytes.length}\0`).update(bytes ?? '');
    }
    return digest.digest('hex');
  }
}

async function listYaml(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  return names
    .filter((name) => /^[^.].*\.ya?ml$/.test(name))
    .toSorted()
    .map((name) => join(directory, name));
}
