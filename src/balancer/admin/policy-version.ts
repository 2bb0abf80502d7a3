// Versions of policies: the ETag of one, what If-Match asks for, and what differs between two.
import { createHash } from 'node:crypto';
import { HeraldError } from '../../core/error.ts';
import type { Policy } from '../../policy/policy.ts';
import type { PolicyDocument } from '../../protocol/admin-api.ts';
import { readablePolicy } from './readable-policy.ts';

/** One key that differs; null where it is not there. */
export interface PolicyChange {
  /** `place.maxShare` */
  readonly path: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** The strong ETag of a policy: by what it says, not by how its file is written. */
export function etagOf(policy: Policy): string {
  const text = JSON.stringify(readablePolicy(policy));
  return `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`;
}

/** Throws HERALD_PRECONDITION_FAILED unless If-Match (absent: anything) names what is there now. */
export function refuseOtherVersion(ifMatch: string | undefined, current: Policy | undefined): void {
  if (ifMatch === undefined) return;
  const etag = current === undefined ? undefined : etagOf(current);
  const named = new Set(ifMatch.split(',').map((tag) => tag.trim()));
  if (etag !== undefined && (named.has('*') || named.has(etag))) return;
  const message =
    etag === undefined
      ? 'If-Match names a version, but there is no sound policy of this name'
      : `the policy is ${etag} now, not ${ifMatch.slice(0, 100)}: somebody has changed it`;
  throw new HeraldError('HERALD_PRECONDITION_FAILED', message, { ...(etag && { etag }) });
}

/** Every leaf that differs, in the order of the newer document; lists are leaves. */
export function changesBetween(from: PolicyDocument, to: PolicyDocument): PolicyChange[] {
  const before = leaves(from, '');
  const after = leaves(to, '');
  const changed = [...after].filter(
    ([path, value]) => JSON.stringify(before.get(path)) !== JSON.stringify(value),
  );
  const gone = [...before].filter(([path]) => !after.has(path));
  return [
    ...changed.map(([path, value]) => ({ path, from: before.get(path) ?? null, to: value })),
    ...gone.map(([path, value]) => ({ path, from: value, to: null })),
  ];
}

function leaves(value: unknown, path: string): Map<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return new Map([[path, value]]);
  const below = Object.entries(value).flatMap(([key, part]) => [
    ...leaves(part, path === '' ? key : `${path}.${key}`),
  ]);
  return new Map(below);
}
