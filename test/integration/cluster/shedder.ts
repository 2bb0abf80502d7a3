// Whoever is told to act for all, as the fencing demands it. Not a test itself.

/** Refuses a token lower than the highest it has seen. */
export class Shedder {
  #highest = 0;

  /** True when it acts. */
  act(token: number): boolean {
    if (token < this.#highest) return false;
    this.#highest = token;
    return true;
  }
}
