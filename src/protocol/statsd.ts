// Reads StatsD datagrams: counters, gauges and timers, one or several lines each. DogStatsD's tags and container ids
// are tolerated and ignored; its events, service checks and packed values are not read. Keeps nothing.
import { readDecimal } from './decimal.ts';

/** One sample of a metric. */
export type StatsdSample =
  /** `c`: how much it grew, already divided by the sample rate. May be negative. */
  | { readonly kind: 'counter'; readonly name: string; readonly value: number }
  /** `g`: the value, or with a sign its change. */
  | { readonly kind: 'gauge'; readonly name: string; readonly value: number; readonly isChange: boolean }
  /** `ms`, `h`, `d`: one of `weight` timings (1 ÷ sample rate). */
  | { readonly kind: 'timer'; readonly name: string; readonly value: number; readonly weight: number };

/** What a datagram holds. */
export interface StatsdDatagram {
  /** Samples of the names that are wanted. */
  readonly samples: readonly StatsdSample[];
  /** Lines with a wanted name that say nothing: the name, and why in a few words. */
  readonly refused: readonly { readonly name: string; readonly reason: string }[];
  /** Lines with other names. */
  readonly unknown: number;
  /** Lines that are not `name:value|type`. */
  readonly malformed: number;
}

/** A thousandth of the traffic is the sparsest sampling seen; a tinier rate is a way to make one datagram count for millions. */
const minSampleRate = 1e-4;
/** Far above what a report carries (1e12); sums of these stay finite. */
const maxMagnitude = 1e15;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Reading = StatsdSample | { readonly reason: string };

/** Reads a datagram; never throws. Lines whose name is not wanted are not looked into. */
export function decodeStatsd(datagram: Buffer, isWanted: (name: string) => boolean): StatsdDatagram {
  const samples: StatsdSample[] = [];
  const refused: { name: string; reason: string }[] = [];
  const found: Mutable<StatsdDatagram> = { samples, refused, unknown: 0, malformed: 0 };
  for (const line of datagram.toString('utf8').split('\n')) {
    if (line === '' || line === '\r') continue;
    const colon = line.indexOf(':');
    const name = colon === -1 ? '' : line.slice(0, colon);
    if (name === '' || !line.includes('|', colon)) found.malformed += 1;
    else if (!isWanted(name)) found.unknown += 1;
    else {
      const read = readLine(name, line.slice(colon + 1).trimEnd());
      if ('reason' in read) refused.push({ name, reason: read.reason });
      else samples.push(read);
    }
  }
  return found;
}

/** Reads `value|type|@rate|#tags`. */
function readLine(name: string, rest: string): Reading {
  const [written = '', type = '', ...extras] = rest.split('|');
  const value = readDecimal(written);
  if (type === 's') return { reason: 'it comes as a set (s), which Herald does not count' };
  if (!['c', 'g', 'ms', 'h', 'd'].includes(type)) return { reason: 'its type is none of c, g, ms, h, d' };
  if (value === undefined) return { reason: 'its value is not a number' };
  if (Math.abs(value) > maxMagnitude) return { reason: `its value is beyond ${maxMagnitude}` };
  if (type === 'g') return { kind: 'gauge', name, value, isChange: /^[+-]/.test(written) };
  const rate = sampleRate(extras);
  if (rate === undefined) return { reason: `its sample rate is not from ${minSampleRate} to 1` };
  return type === 'c'
    ? { kind: 'counter', name, value: value / rate }
    : { kind: 'timer', name, value, weight: 1 / rate };
}

/** 1 when none is given; undefined when it is none. */
function sampleRate(extras: readonly string[]): number | undefined {
  const written = extras.find((extra) => extra.startsWith('@'));
  if (written === undefined) return 1;
  const rate = readDecimal(written.slice(1));
  return rate !== undefined && rate >= minSampleRate && rate <= 1 ? rate : undefined;
}
