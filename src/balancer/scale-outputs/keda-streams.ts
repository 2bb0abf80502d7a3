// The streams of StreamIsActive: the first value at once, then each change. Of gRPC they know a narrow port only.
import { HeraldError } from '../../core/error.ts';
import type { ScaleFeed } from '../control/ports.ts';
import { isActive } from './keda-answers.ts';

/** One client that listens. */
export interface ActiveStream {
  /** False: the client takes no more for now; `onDrain` tells when it does. */
  write(isActive: boolean): boolean;
  end(): void;
  onDrain(hear: () => void): void;
  /** Heard once, when the client or the connection is gone. */
  onGone(hear: () => void): void;
}

/** Streams with an owner: `open` them, `stop` ends all. */
export class ActiveStreams {
  readonly #feed: ScaleFeed;
  readonly #max: number;
  readonly #open = new Set<{ readonly stream: ActiveStream; readonly close: () => void }>();

  constructor(feed: ScaleFeed, max: number) {
    this.#feed = feed;
    this.#max = max;
  }

  /** Streams that are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Begins to tell. Throws HERALD_POOL_UNKNOWN, HERALD_SCALE_UNKNOWN, HERALD_TOO_MANY_STREAMS before anything is told. */
  open(pool: string, stream: ActiveStream): void {
    if (this.#open.size >= this.#max)
      throw new HeraldError('HERALD_TOO_MANY_STREAMS', `${this.#open.size} streams are open`);
    let now = isActive(this.#feed.scaling(pool));
    let told = now;
    let isFull = !stream.write(now);
    const tell = () => {
      if (isFull || now === told) return;
      told = now;
      isFull = !stream.write(now);
    };
    const endHearing = this.#feed.onScaling((scaling) => {
      // A `no` that rests on missing data is not told; the last word stands.
      if (scaling.pool !== pool || (!scaling.isActive && scaling.state === 'unknown')) return;
      now = scaling.isActive;
      tell();
    });
    stream.onDrain(() => {
      isFull = false;
      tell();
    });
    const entry = {
      stream,
      close: () => {
        endHearing();
        this.#open.delete(entry);
      },
    };
    this.#open.add(entry);
    stream.onGone(entry.close);
  }

  /** Ends every stream cleanly: KEDA comes back at once, to whoever serves then. */
  stop(): void {
    for (const { stream, close } of this.#open) {
      close();
      stream.end();
    }
  }
}
