// Paths as routes compare them: one form for every way in which a path can be written. Nodes get what was sent.
import { showValue, type Reading } from './quantity.ts';

/**
 * A path without its query in one form: percent-encoded letters, digits and `-._~` are decoded and other codes written
 * in capitals, then `.` and `..` segments are worked off (RFC 3986, sections 6.2.2 and 5.2.4). So `/a/%2e%2e/b` is
 * `/b`, as it is for the servers that decode it. An encoded slash stays: it ends no segment.
 */
export function normalizePath(path: string): string {
  if (!path.includes('%') && !path.includes('/.')) return path;
  return withoutDots(respelled(path));
}

function respelled(path: string): string {
  return path.replaceAll(/%([0-9A-Fa-f]{2})/g, decoded);
}

function decoded(triplet: string, hex: string): string {
  const char = String.fromCharCode(Number.parseInt(hex, 16));
  return /[A-Za-z0-9._~-]/.test(char) ? char : triplet.toUpperCase();
}

function withoutDots(path: string): string {
  if (!path.includes('/.')) return path;
  const [, ...segments] = path.split('/');
  const kept: string[] = [];
  for (const [at, segment] of segments.entries()) {
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    // A path that ends in a dot segment names a directory.
    else if (at === segments.length - 1) kept.push('');
  }
  return `/${kept.join('/')}`;
}

/** Reads the path of a route. */
export function readRoutePath(value: unknown): Reading<string> {
  if (typeof value !== 'string' || !/^\/[\x21-\x7E]{0,1023}$/.test(value)) {
    const hint = 'it starts with / and has no spaces, such as /chat';
    return { message: `${showValue(value)} is not a path`, hint };
  }
  const shown = showValue(value);
  if (/[?#]/.test(value))
    return { message: `${shown} has a query or a fragment`, hint: 'routes look at the path alone' };
  if (value.endsWith('/*')) {
    const prefix = value === '/*' ? '/' : value.slice(0, -2);
    return { message: `${shown} has a wildcard`, hint: `write ${prefix}: it matches what lies below, too` };
  }
  const plain = normalizePath(value);
  if (plain !== respelled(value)) return { message: `${shown} has . or .. segments`, hint: `write ${plain}` };
  return { value: plain };
}
