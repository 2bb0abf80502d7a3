// What all sensors have in common: they are asked once per sample and answer for the span since the last time.

/** Measures one or more signals. */
export interface Sensor {
  /**
   * Values by policy signal name for the span since the previous call (since creation at first).
   * `elapsedMs` is that span, above 0. A signal that cannot be told is absent.
   */
  measure(elapsedMs: number): Readonly<Record<string, number>>;
  /** Ends what the sensor runs. Idempotent. */
  stop(): void;
}
