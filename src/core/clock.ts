// Time as a parameter. The real clock lives in platform/system-clock.ts, the one for tests in test/support.

/** A pending call; `cancel` is idempotent and does nothing once the call has been made. */
export interface Timer {
  cancel(): void;
}

/** Where every floor takes its time from. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary origin; never goes back and says nothing about the date. */
  nowMs(): number;
  /**
   * Milliseconds since the Unix epoch; may jump. For people to read, and for how long a restart took, which no
   * other clock can say; never for other arithmetic.
   */
  wallMs(): number;
  /** Calls `callback` once after `delayMs` (0 or more). The owner cancels it when it stops. */
  schedule(delayMs: number, callback: () => void): Timer;
  /** Calls `callback` every `intervalMs` (more than 0), first after one interval. The owner cancels it. */
  repeat(intervalMs: number, callback: () => void): Timer;
}
