// Lines that are drawn again in place on a terminal, and only then.

import type { TextStream } from './io.ts';

export type { TextStream } from './io.ts';

/** Redraws a block of lines in place. On anything but a terminal it draws nothing. */
export class LiveScreen {
  readonly #stream: TextStream;
  #height = 0;

  constructor(stream: TextStream) {
    this.#stream = stream;
  }

  draw(lines: readonly string[]): void {
    if (this.#stream.isTTY !== true) return;
    // Up to where the last block began, then each line anew with what was longer before wiped out.
    const up = this.#height > 0 ? `\u001b[${this.#height}A` : '';
    this.#stream.write(`${up}${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`);
    this.#height = lines.length;
  }

  /** Leaves what was drawn last where it is and starts below it. */
  settle(): void {
    this.#height = 0;
  }
}
