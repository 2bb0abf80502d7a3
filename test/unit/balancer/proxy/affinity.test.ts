import { describe, expect, it } from 'vitest';
import { affinityToken, createAffinity } from '../../../../src/balancer/proxy/affinity.ts';

const rule = { kind: 'cookie', name: 'herald', yieldAt: 1.1 } as const;
const cookie = (token: string): string[] => ['Cookie', `herald=${token}`];

describe('affinity', () => {
  it('finds the node of a token that it has set, within its pool only', () => {
    const affinity = createAffinity(() => ['a', 'b']);
    const set = affinity.setCookie({ pool: 'chat', nodeId: 'b' }, rule, []);
    const token = /^herald=([\w-]{16}); Path=\/; HttpOnly; SameSite=Lax$/.exec(set)?.[1] ?? '';
    expect(affinity.nodeOf('chat', rule, cookie(token))).toBe('b');
    expect(affinity.nodeOf('other', rule, cookie(token))).toBe('');
  });

  it('sets no cookie that the client has already, and none without the rule', () => {
    const affinity = createAffinity(() => ['a']);
    const placed = { pool: 'chat', nodeId: 'a' };
    expect(affinity.setCookie(placed, rule, cookie(affinityToken('chat', 'a')))).toBe('');
    expect(affinity.setCookie(placed, { kind: 'none' }, [])).toBe('');
    expect(affinity.nodeOf('chat', { kind: 'none' }, cookie(affinityToken('chat', 'a')))).toBe('');
  });

  it('follows the nodes of the pool', () => {
    let ids: readonly string[] = ['a'];
    const affinity = createAffinity(() => ids);
    const token = affinityToken('chat', 'b');
    expect(affinity.nodeOf('chat', rule, cookie(token))).toBe('');
    ids = ['a', 'b'];
    expect(affinity.nodeOf('chat', rule, cookie(token))).toBe('b');
    ids = [];
    expect(affinity.nodeOf('chat', rule, cookie(token))).toBe('');
  });
});
