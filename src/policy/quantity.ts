// Quantities carry their unit in YAML and lose it here: milliseconds, fractions, per second.
// A bare number is refused, because 5 in one file is seconds and in the next milliseconds.

/** Why a value was not taken. */
export interface Complaint {
  readonly message: string;
  /** What to write instead; '' when the message says it all. */
  readonly hint: string;
}

/** A value read, or the complaint about it. */
export type Reading<T> = { readonly value: T } | Complaint;

/** Units that a policy writes; `share` is a part per second, such as 0.1%/s. */
export type UnitName = 'duration' | 'percentage' | 'rate' | 'share' | 'size';

interface Unit {
  readonly noun: string;
  /** Source of the regular expression; the JSON schema uses it as it is. */
  readonly pattern: string;
  readonly examples: readonly string[];
  /** Base units of a text that matches `pattern`: milliseconds, a fraction, or something per second. */
  read(text: string): number;
  /** Writes base units so that `read` gives the same back. */
  write(value: number): string;
  /** The right form of a number without a unit, for the hint. */
  suggest(bare: number): string;
}

const unitBytes = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;
const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** The units by name. */
export const units: Record<UnitName, Unit> = {
  duration: {
    noun: 'a duration',
    pattern: String.raw`^\d+(\.\d+)?(ms|s|m|h)$`,
    examples: ['500ms', '1s', '5m', '2h'],
    read: (text) => parseFloat(text) * unitMsOf(text),
    write: writeDuration,
    suggest: (bare) => `write ${bare}s or ${bare}ms`,
  },
  percentage: {
    noun: 'a percentage',
    pattern: String.raw`^\d+(\.\d+)?%$`,
    examples: ['80%', '2.5%'],
    read: (text) => parseFloat(text) / 100,
    write: (value) => `${rounded(value * 100)}%`,
    suggest: (bare) => `write ${bare > 0 && bare <= 1 ? rounded(bare * 100) : bare}%`,
  },
  rate: {
    noun: 'a rate',
    pattern: String.raw`^\d+(\.\d+)?/s$`,
    examples: ['200/s', '0.5/s'],
    read: (text) => parseFloat(text),
    write: (value) => `${rounded(value)}/s`,
    suggest: (bare) => `write ${bare}/s`,
  },
  share: {
    noun: 'a share per second',
    pattern: String.raw`^\d+(\.\d+)?%/s$`,
    examples: ['0.1%/s', '1%/s'],
    read: (text) => parseFloat(text) / 100,
    write: (value) => `${rounded(value * 100)}%/s`,
    suggest: (bare) => `write ${bare}%/s`,
  },
  size: {
    noun: 'a size',
    pattern: String.raw`^\d+(B|KiB|MiB|GiB)$`,
    examples: ['16KiB', '256MiB'],
    read: (text) => parseFloat(text) * unitBytesOf(text),
    write: writeSize,
    suggest: (bare) => `write ${bare}B, ${bare}KiB or ${bare}MiB`,
  },
};

/** Reads a quantity in base units. `min` and `max` are inclusive, in base units; a duration has whole milliseconds. */
export function readQuantity(
  name: UnitName,
  value: unknown,
  { min, max }: { readonly min: number; readonly max: number },
): Reading<number> {
  const unit = units[name];
  if (typeof value === 'number') {
    return {
      message: `${value} has no unit`,
      hint: Number.isFinite(value) ? unit.suggest(value) : formsOf(unit),
    };
  }
  if (typeof value !== 'string' || !new RegExp(unit.pattern).test(value)) {
    return { message: `${showValue(value)} is not ${unit.noun}`, hint: formsOf(unit) };
  }
  const read = unit.read(value);
  if (read < min) return { message: `${showValue(value)} is too small`, hint: `at least ${unit.write(min)}` };
  if (read > max) return { message: `${showValue(value)} is too large`, hint: `at most ${unit.write(max)}` };
  if (name !== 'duration') return { value: read };
  const whole = Math.round(read);
  // 1.1s is 1100.0000000000002 ms in binary: closer than a millionth is whole.
  if (Math.abs(read - whole) > 1e-6) {
    return { message: `${showValue(value)} is not a whole number of milliseconds`, hint: `write ${whole}ms` };
  }
  return { value: whole };
}

/** A value as a message shows it: short, on one line, without control characters. */
export function showValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return String(value);
}

function formsOf(unit: Unit): string {
  return `such as ${unit.examples.join(', ')}`;
}

function unitMsOf(text: string): number {
  if (text.endsWith('ms')) return unitMs.ms;
  if (text.endsWith('s')) return unitMs.s;
  return text.endsWith('m') ? unitMs.m : unitMs.h;
}

function unitBytesOf(text: string): number {
  if (text.endsWith('KiB')) return unitBytes.KiB;
  if (text.endsWith('MiB')) return unitBytes.MiB;
  return text.endsWith('GiB') ? unitBytes.GiB : unitBytes.B;
}

function writeSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const)
    if (bytes > 0 && bytes % unitBytes[unit] === 0) return `${bytes / unitBytes[unit]}${unit}`;
  return `${bytes}B`;
}

function writeDuration(valueMs: number): string {
  if (valueMs === 0) return '0s';
  if (valueMs % unitMs.h === 0) return `${valueMs / unitMs.h}h`;
  if (valueMs % unitMs.m === 0) return `${valueMs / unitMs.m}m`;
  if (valueMs % unitMs.s === 0) return `${valueMs / unitMs.s}s`;
  return `${valueMs}ms`;
}

/** Nine digits are more than anyone writes and hide the last bits of binary fractions. */
function rounded(value: number): number {
  return Number(value.toPrecision(9));
}
