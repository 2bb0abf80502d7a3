// Where changes wait while the state is on its way to another process: one that came in between would be lost.
import { HeraldError } from '../../core/error.ts';

/** A gate that changes pass: open, held, or closed for good. */
export class ChangeGate {
  #isClosed = false;
  #holding: Promise<void> | undefined;
  #let: (() => void) | undefined;

  /** Resolves when a change may be made. HERALD_HANDED_OVER when another process serves: nothing was changed. */
  async pass(): Promise<void> {
    await this.#holding;
    if (!this.#isClosed) return;
    throw new HeraldError(
      'HERALD_HANDED_OVER',
      'another process has taken over in this moment: nothing was changed, ask again',
    );
  }

  /** Changes wait from now on. */
  hold(): void {
    this.#holding ??= new Promise((resolve) => (this.#let = resolve));
  }

  /** Those that wait pass. */
  open(): void {
    this.#let?.();
    this.#holding = undefined;
  }

  /** Those that wait, and those that come, are refused. */
  close(): void {
    this.#isClosed = true;
    this.open();
  }
}
