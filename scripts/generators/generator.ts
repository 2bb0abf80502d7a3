// What a generator is: a file of the repository, and how its text is made from the sources.

/** One generated file. */
export interface Generator {
  /** From the root of the repository. */
  readonly path: string;
  /** The whole text, with a line end at its end. Depends on the sources only. */
  render(): string;
}
