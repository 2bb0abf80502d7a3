// The fields that schemas are made of: each knows its bounds, its complaint, and how the JSON schema shows it.
import { z } from 'zod';
import { addressPattern, readAddress } from './address.ts';
import { parseCidr, parseIp } from './cidr.ts';
import { readQuantity, showValue, units, type Reading, type UnitName } from './quantity.ts';

/** Names of pools, policies, nodes, listeners and tokens. */
export const namePattern = /^[A-Za-z0-9._:-]{1,64}$/;

/** What the JSON schema and the reference page say of a field beside its description and default. */
export interface FieldMeta {
  readonly type?: string | readonly string[];
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly examples?: readonly unknown[];
  readonly anyOf?: readonly object[];
  /** For the reference page only: unit and range in words. */
  readonly unit: string;
}

/** A field read by `read`, whose complaint becomes the problem; undefined is always "is missing". */
export function field<T>(read: (value: unknown) => Reading<T>, meta: FieldMeta) {
  return z
    .unknown()
    .transform((value, context): T => {
      const reading: Reading<T> = value === undefined ? { message: 'is missing', hint: '' } : read(value);
      if ('value' in reading) return reading.value;
      const { message, hint } = reading;
      context.issues.push({ code: 'custom', input: value, message, params: { hint } });
      return z.NEVER;
    })
    .meta(withoutDeletedKeys(meta));
}

// zod deletes `examples` and `default` from the input schema of whatever transforms: other names pass.
function withoutDeletedKeys({ examples, ...rest }: FieldMeta) {
  return examples === undefined ? rest : { ...rest, samples: examples };
}

function quantity(name: UnitName, from: string, to: string) {
  const { pattern, examples, read } = units[name];
  const bounds = { min: read(from), max: read(to) };
  const meta = { type: 'string', pattern, examples: [...examples], unit: `${name}, ${from} to ${to}` };
  return { read: (value: unknown) => readQuantity(name, value, bounds), meta };
}

/** A duration in milliseconds; bounds as a policy would write them, inclusive. */
export function duration(from: string, to: string) {
  const { read, meta } = quantity('duration', from, to);
  return field(read, meta);
}

/** A percentage as a fraction. */
export function percentage(from: string, to: string) {
  const { read, meta } = quantity('percentage', from, to);
  return field(read, meta);
}

/** A rate per second. */
export function rate(from: string, to: string) {
  const { read, meta } = quantity('rate', from, to);
  return field(read, meta);
}

/** A part of a whole per second, as a fraction per second. */
export function share(from: string, to: string) {
  const { read, meta } = quantity('share', from, to);
  return field(read, meta);
}

/** A size in bytes. */
export function size(from: string, to: string) {
  const { read, meta } = quantity('size', from, to);
  return field(read, meta);
}

/** A whole number, bounds inclusive, or the word `off`. */
export function countOrOff(from: number, to: number) {
  return field(
    (value): Reading<number | 'off'> => {
      const isCount = typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to;
      if (value === 'off' || isCount) return { value };
      const hint = `a whole number, ${from} to ${to}, or off`;
      return { message: `${showValue(value)} is not a count`, hint };
    },
    {
      type: ['integer', 'string'],
      anyOf: [{ type: 'integer', minimum: from, maximum: to }, { const: 'off' }],
      unit: `off, or whole number, ${from} to ${to}`,
    },
  );
}

/** A quantity, or the word `auto`. */
export function orAuto(name: UnitName, from: string, to: string) {
  return orWord('auto', quantity(name, from, to));
}

/** A quantity, or the word `off`. */
export function orOff(name: UnitName, from: string, to: string) {
  return orWord('off', quantity(name, from, to));
}

function orWord<const Word extends string>(word: Word, { read, meta }: ReturnType<typeof quantity>) {
  const readOrWord = (value: unknown): Reading<number | Word> => {
    if (value === word) return { value: word };
    const reading = read(value);
    return 'value' in reading ? reading : { ...reading, hint: `${reading.hint}, or ${word}` };
  };
  const pattern = `^${word}$|${meta.pattern}`;
  return field(readOrWord, {
    ...meta,
    pattern,
    examples: [word, ...meta.examples],
    unit: `${word}, or ${meta.unit}`,
  });
}

/** A whole number, bounds inclusive. */
export function count(from: number, to: number) {
  return z
    .int()
    .min(from)
    .max(to)
    .meta({ unit: `whole number, ${from} to ${to}` });
}

/**
 * A list of so many entries, bounds inclusive. The bounds are not zod's: those also look at a mapping that has a
 * key `length`, and throw when it is no number.
 */
export function list<Item extends z.ZodType>(item: Item, from: number, to: number) {
  return z
    .array(item)
    .check((context) => {
      const { length } = context.value;
      if (length >= from && length <= to) return;
      const message = `has too ${length < from ? 'few' : 'many'} entries`;
      const params = { hint: length < from ? `at least ${from}` : `at most ${to}` };
      context.issues.push({ code: 'custom', input: context.value, message, params });
    })
    .meta({ ...(from > 0 ? { minItems: from } : {}), maxItems: to });
}

/** A name of a pool, policy, node, listener or token. */
export function name() {
  const hint = 'letters, digits and . _ : -, at most 64';
  return field(
    (value): Reading<string> => {
      if (typeof value === 'string' && namePattern.test(value)) return { value };
      const isNumber = typeof value === 'number';
      return { message: `${showValue(value)} is not a name`, hint: isNumber ? `write "${value}"` : hint };
    },
    { type: 'string', pattern: namePattern.source, unit: 'name' },
  );
}

/** Text that is not empty. */
export function text(unit: string, maxLength = 1024) {
  return field(
    (value): Reading<string> => {
      if (typeof value !== 'string')
        return { message: `${showValue(value)} is not text`, hint: 'put it in quotes' };
      if (value.trim() === '') return { message: 'is empty', hint: 'write something, or leave the key out' };
      if (value.length > maxLength)
        return { message: 'is too long', hint: `at most ${maxLength} characters` };
      return { value };
    },
    { type: 'string', unit },
  );
}

/** `host:port`; port 0 only where `minPort` is 0. */
export function address(minPort: 0 | 1) {
  return field((value) => readAddress(value, minPort), {
    type: 'string',
    pattern: addressPattern,
    examples: ['127.0.0.1:8080', '[::1]:8080'],
    unit: minPort === 0 ? 'host:port, port 0 is chosen by the kernel' : 'host:port',
  });
}

/** A block of addresses. */
export function cidr() {
  return field(
    (value) =>
      typeof value === 'string'
        ? parseCidr(value)
        : { message: `${showValue(value)} is not a block of addresses`, hint: 'such as 10.0.0.0/8' },
    { type: 'string', examples: ['10.0.0.0/8', 'fd00::/8'], unit: 'CIDR' },
  );
}

/** An IPv4 or IPv6 literal, without brackets. */
export function ipLiteral() {
  return field(
    (value): Reading<string> =>
      typeof value === 'string' && parseIp(value) !== undefined && !value.includes('%')
        ? { value }
        : { message: `${showValue(value)} is not an address`, hint: 'such as 10.0.0.5 or fd00::5' },
    { type: 'string', examples: ['10.0.0.5', 'fd00::5'], unit: 'IPv4 or IPv6 address' },
  );
}

/** The complaint about what is planned. */
export const notAvailable = { message: 'not available yet (planned)', hint: 'remove it' } as const;
