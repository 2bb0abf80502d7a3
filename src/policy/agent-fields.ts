// Fields that only agent.yaml has: URLs, hosts of sources, sizes, paths of cgroups.
import { parseCidr, parseIp } from './cidr.ts';
import { field } from './field.ts';
import { showValue, type Reading } from './quantity.ts';

const kib = 1024;
const mib = 1024 * kib;

/** Reads an http or https URL without user, password and fragment; answers its normal form. No complaint shows a password. */
export function readHttpUrl(value: unknown): Reading<string> {
  const hint = 'such as http://127.0.0.1:9401';
  if (typeof value !== 'string' || !URL.canParse(value))
    return { message: `${showValue(value)} is not a URL`, hint };
  const url = new URL(value);
  if (url.username !== '' || url.password !== '')
    return {
      message: 'the URL holds a user or a password',
      hint: 'put secrets into a file: tokenFile for balancers, authorizationFile for sources',
    };
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return { message: `${showValue(url.protocol)} is neither http nor https`, hint };
  if (url.hash !== '')
    return { message: 'the URL has a fragment', hint: 'leave out what comes from # on: it is never sent' };
  return { value: url.href };
}

/** An http or https URL, in its normal form. */
export function httpUrl() {
  return field(readHttpUrl, {
    type: 'string',
    pattern: '^https?://',
    examples: ['http://127.0.0.1:9401'],
    unit: 'http or https URL',
  });
}

/** The URL of a balancer's intake: no query either, since `/v1/reports` is put behind it. */
export function balancerUrl() {
  return field(readBalancerUrl, {
    type: 'string',
    pattern: '^https?://',
    examples: ['http://127.0.0.1:9401'],
    unit: 'http or https URL',
  });
}

function readBalancerUrl(value: unknown): Reading<string> {
  const reading = readHttpUrl(value);
  if (!('value' in reading) || new URL(reading.value).search === '') return reading;
  return { message: 'the URL has a query', hint: 'leave out what comes from ? on' };
}

/** A host name, an address or a block of addresses. */
export function sourceHost() {
  const hint = 'a host name, an address, or a block such as 10.0.0.0/8';
  const read = (value: unknown): Reading<string> => {
    if (typeof value !== 'string') return { message: `${showValue(value)} is not a host`, hint };
    const literal = value.replace(/^\[(.*)\]$/, '$1');
    if (literal.includes('/')) {
      const block = parseCidr(literal);
      return 'value' in block ? { value: literal } : block;
    }
    if (parseIp(literal) !== undefined) return { value: literal };
    const isName =
      /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?$/.test(value) && !/^[\d.]+$/.test(value);
    return isName ? { value: value.toLowerCase() } : { message: `${showValue(value)} is not a host`, hint };
  };
  return field(read, {
    type: 'string',
    examples: ['app.internal', '10.0.0.0/8'],
    unit: 'name, address or CIDR',
  });
}

function showSize(bytes: number): string {
  return bytes % mib === 0 ? `${bytes / mib}MiB` : `${bytes / kib}KiB`;
}

/** A size in bytes, written as `64KiB` or `1MiB`; bounds in bytes, inclusive. */
export function size(minBytes: number, maxBytes: number) {
  const read = (value: unknown): Reading<number> => {
    const match = typeof value === 'string' ? /^(\d{1,9})(KiB|MiB)$/.exec(value) : null;
    if (match === null) {
      const hint = typeof value === 'number' ? `write ${Math.ceil(value / kib)}KiB` : 'such as 64KiB or 1MiB';
      return { message: `${showValue(value)} is not a size`, hint };
    }
    const bytes = Number(match[1]) * (match[2] === 'MiB' ? mib : kib);
    if (bytes < minBytes)
      return { message: `${showValue(value)} is too small`, hint: `at least ${showSize(minBytes)}` };
    if (bytes > maxBytes)
      return { message: `${showValue(value)} is too large`, hint: `at most ${showSize(maxBytes)}` };
    return { value: bytes };
  };
  return field(read, {
    type: 'string',
    pattern: String.raw`^\d+(KiB|MiB)$`,
    examples: ['64KiB', '1MiB'],
    unit: `size, ${showSize(minBytes)} to ${showSize(maxBytes)}`,
  });
}

/** A control group: `/system.slice/app.service`; the mount point in front of it is taken off. */
export function cgroupPath() {
  return field(readCgroupPath, {
    type: 'string',
    pattern: '^/',
    examples: ['/system.slice/app.service'],
    unit: 'cgroup path',
  });
}

function readCgroupPath(value: unknown): Reading<string> {
  const hint = 'as /proc/PID/cgroup shows it, such as /system.slice/app.service';
  if (typeof value !== 'string' || !value.startsWith('/') || value.length > 4096)
    return { message: `${showValue(value)} is not the path of a cgroup`, hint };
  if (value.split('/').includes('..')) return { message: 'the path of a cgroup has no ..', hint };
  return { value: value.replace(/^\/sys\/fs\/cgroup(?=\/|$)/, '') || '/' };
}
