// What differs between two policies, key by key.
import type { PolicyDocument } from '../protocol/admin-api.ts';

/** One key that differs; undefined where it is not there. */
export interface PolicyChange {
  /** `place.maxShare` */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** Every leaf that differs, in the order of the newer document, then what is gone; a list is a leaf. */
export function policyChanges(from: PolicyDocument, to: PolicyDocument): PolicyChange[] {
  const before = new Map(leaves(from, ''));
  const after = new Map(leaves(to, ''));
  const paths = new Set([...after.keys(), ...before.keys()]);
  return [...paths]
    .map((path) => ({ path, from: before.get(path), to: after.get(path) }))
    .filter((change) => JSON.stringify(change.from) !== JSON.stringify(change.to));
}

function leaves(value: unknown, path: string): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([key, part]) => leaves(part, path === '' ? key : `${path}.${key}`));
}
