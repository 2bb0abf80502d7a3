// Compiled policies for tests that are not about reading them.
import { defaultPolicy } from '../../src/policy/compile-policy.ts';
import type { CookieRule, Policy } from '../../src/policy/policy.ts';

/** What a test changes; keys of a section that are not given stay. */
export type PolicyParts = {
  [Key in keyof Policy]?: Policy[Key] extends object ? Partial<Policy[Key]> : Policy[Key];
};

/** The default policy of pool `chat`, with cookies, changed in the keys of the sections given. */
export function aPolicy(parts: PolicyParts = {}): Policy {
  return withParts({ ...defaultPolicy('chat'), affinity: cookies }, parts);
}

/** The rule of cookies as it is by default. */
export const cookies: CookieRule = {
  kind: 'cookie',
  name: 'herald',
  yieldAt: 1.1,
  secure: 'auto',
  httpOnly: true,
  sameSite: 'lax',
  maxAgeMs: undefined,
};

/** A policy whose only signal is `cpu`, full at 1: a report's `cpu` is then the utilization. */
export function aPlainPolicy(parts: PolicyParts = {}): Policy {
  return aPolicy({ signals: [{ name: 'cpu', kind: 'additive', saturation: 1 }], ...parts });
}

/** A policy with everything in the way of a test switched off: no trial, no slow start, no guards that bind. */
export function anOpenPolicy(parts: PolicyParts = {}): Policy {
  const open = withParts(defaultPolicy('chat'), {
    signals: [
      { name: 'cpu', kind: 'additive', saturation: 0.8 },
      { name: 'eventLoopLag', kind: 'distress', saturation: 50 },
      { name: 'queueDelayMs', kind: 'distress', saturation: 50 },
    ],
    reports: { blackoutMs: 0 },
    place: { maxShare: 1, slowStartMs: 0, connectRatePerSecond: 1_000_000 },
    health: { check: { kind: 'off' } },
  });
  return withParts(open, parts);
}

function withParts(policy: Policy, parts: PolicyParts): Policy {
  const merged: Record<string, unknown> = { ...policy };
  for (const [key, part] of Object.entries(parts)) {
    const old = merged[key];
    const isSection = typeof part === 'object' && typeof old === 'object' && !Array.isArray(part);
    merged[key] = isSection ? { ...old, ...part } : part;
  }
  // Each section was merged with parts of its own type: PolicyParts allows no other.
  return merged as unknown as Policy;
}
