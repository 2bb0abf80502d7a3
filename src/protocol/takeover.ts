// What the admin API says of replacing this process by a new one.

/** One process that has been replaced and relays what it had. */
export interface EarlierProcessView {
  /** The process that began has 1. */
  readonly generation: number;
  readonly pid: number;
  /** Open connections, as it told within the last second. */
  readonly connections: number;
}

/** `GET /v1/takeover` */
export interface TakeoverView {
  readonly generation: number;
  readonly pid: number;
  /** A new process is being started. */
  readonly isUnderWay: boolean;
  /** Oldest first. */
  readonly earlier: readonly EarlierProcessView[];
}

/** `POST /v1/takeover` */
export interface TakeoverAnswer {
  /** Of the process that serves now. */
  readonly generation: number;
  readonly pid: number;
  /** From the request to the moment in which it served. */
  readonly tookMs: number;
  /** What the old process still relays, by its own count. */
  readonly connections: number;
}
