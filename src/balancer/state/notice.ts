// What the state tells the log: one line per change of state, in glossary words.

/** Takes an event and its facts; the entry floor hands in one that writes the log. */
export type Notify = (event: string, facts: Readonly<Record<string, unknown>>) => void;
