// What is told of the relay processes of a balancer: `GET /v1/workers`, and their counters.

/** One place for a worker. */
export interface WorkerDetail {
  /** 1 or more. */
  readonly worker: number;
  /** 0 while there is no process. */
  readonly pid: number;
  /** `waiting`: the process has ended, and the next one begins in a moment. */
  readonly state: 'starting' | 'serving' | 'waiting' | 'ended';
  /** Connections and exchanges under way. */
  readonly connections: number;
  /** Processes that had to be replaced here since the start. */
  readonly restarts: number;
  /** How long the process serves, ms; 0 while it does not. */
  readonly ageMs: number;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** 99th percentile of how late its event loop was in the last second, ms. */
  readonly lagMs: number;
}

/** Empty where the main process relays itself. */
export interface WorkersAnswer {
  readonly workers: readonly WorkerDetail[];
}

/** One counter of one process: name, labels, value since it began. */
export type CountedSeries = readonly [name: string, labels: Readonly<Record<string, string>>, value: number];
