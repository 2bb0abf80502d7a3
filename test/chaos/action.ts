// What an action is. Which there are is actions.ts.
import type { House } from './house.ts';
import type { ActionShape } from './schedule.ts';

/** A fault that has begun. */
export interface Begun {
  /** What was done, to whom; one line of the journal. */
  readonly what: string;
  /** Balancers that nobody's word gets to or from while it lasts; `all` where Redis itself is gone. */
  readonly apart?: readonly string[] | 'all';
  /** Ends it; resolves when the fleet has again what it lost. */
  heal(): Promise<void>;
}

/** A row of the table. */
export interface Action extends ActionShape {
  /** What it takes, does, and how it heals: three sentences at most, for the page and the report. */
  readonly about: string;
  /** Does it. A text is why it cannot be done now: told and counted as passed over. `pick` (0..1) chooses whom. */
  begin(house: House, pick: number): Promise<Begun | string>;
}
