// The highest or lowest value of a sliding window, remembered in a bounded number of steps.

/** One step of the window: its extreme, and when it began. */
export interface Step {
  readonly fromMs: number;
  readonly value: number;
}

/** Which extreme a window remembers, and how long. */
export interface WindowRule {
  readonly spanMs: number;
  readonly pick: (a: number, b: number) => number;
}

// A window slides by a 60th of its span: precise enough for something that takes minutes.
const stepsPerWindow = 60;

/** The window after one more value; at most 62 steps, never fewer than one. A step leaves once all of it is too old, or in the future
 * because the clock went back. */
export function intoWindow(
  steps: readonly Step[],
  { atMs, value }: { readonly atMs: number; readonly value: number },
  { spanMs, pick }: WindowRule,
): readonly Step[] {
  const widthMs = spanMs / stepsPerWindow;
  const last = steps.at(-1);
  const isSame = last !== undefined && atMs >= last.fromMs && atMs - last.fromMs < widthMs;
  const next = isSame ? { fromMs: last.fromMs, value: pick(last.value, value) } : { fromMs: atMs, value };
  const earlier = isSame ? steps.slice(0, -1) : steps;
  return [...earlier.filter(({ fromMs }) => fromMs <= atMs && fromMs + widthMs > atMs - spanMs), next];
}

/** The extreme of a window; undefined before its first value. */
export function extremeOf(steps: readonly Step[], pick: WindowRule['pick']): number | undefined {
  const [first, ...rest] = steps;
  return first === undefined ? undefined : rest.reduce((value, step) => pick(value, step.value), first.value);
}
