import { describe, expect, it } from 'vitest';
import {
  affinityToken,
  createAffinity,
  type AffinityRequest,
} from '../../../../src/balancer/proxy/affinity.ts';
import { hashText } from '../../../../src/core/pick/rendezvous.ts';
import type { CookieRule, HashRule } from '../../../../src/policy/policy.ts';
import { aClient, aHead } from '../../../support/a-client.ts';
import { cookies } from '../../../support/a-policy.ts';

const cookie = (token: string): string[] => ['Cookie', `herald=${token}`];
const none = { kind: 'none' } as const;

function asked(fields: readonly string[] = [], pool = 'chat', address = '192.0.2.1'): AffinityRequest {
  return { pool, head: aHead(fields), client: aClient(address) };
}

function affinityOf(ids: readonly string[], keys: readonly string[] = []) {
  return createAffinity({ nodeIds: () => ids, keys: () => keys });
}

function tokenIn(set: string): string {
  return /^herald=([\w-]{16});/.exec(set)?.[1] ?? '';
}

describe('affinity by cookie', () => {
  it('finds the node of a token that it has set, within its pool only', () => {
    const affinity = affinityOf(['a', 'b']);
    const set = affinity.setCookie(asked(), cookies, 'b');
    expect(set).toMatch(/^herald=[\w-]{16}; Path=\/; HttpOnly; SameSite=Lax$/);
    const token = tokenIn(set);
    expect(affinity.wishOf(asked(cookie(token)), cookies).affinityNode).toBe('b');
    expect(affinity.wishOf(asked(cookie(token), 'other'), cookies).affinityNode).toBe('');
  });

  it('sets no cookie that the client has already, and none without the rule', () => {
    const affinity = affinityOf(['a']);
    const known = asked(cookie(affinityToken('chat', 'a')));
    expect(affinity.setCookie(known, cookies, 'a')).toBe('');
    expect(affinity.setCookie(asked(), none, 'a')).toBe('');
    expect(affinity.wishOf(known, none)).toEqual({ affinityNode: '' });
  });

  it('sets the cookie of a node that has gone since the client was placed on it', () => {
    const affinity = affinityOf(['a'], ['key']);
    expect(tokenIn(affinity.setCookie(asked(), cookies, 'gone'))).toBe(affinityToken('chat', 'gone', 'key'));
  });

  it('follows the nodes of the pool', () => {
    let ids: readonly string[] = ['a'];
    const affinity = createAffinity({ nodeIds: () => ids, keys: () => [] });
    const wish = asked(cookie(affinityToken('chat', 'b')));
    expect(affinity.wishOf(wish, cookies).affinityNode).toBe('');
    ids = ['a', 'b'];
    expect(affinity.wishOf(wish, cookies).affinityNode).toBe('b');
    ids = [];
    expect(affinity.wishOf(wish, cookies).affinityNode).toBe('');
  });

  it('signs with the first key, believes all of them, and nobody who has none', () => {
    let keys: readonly string[] = ['old'];
    const nodeIds = ['a', 'b'];
    const affinity = createAffinity({ nodeIds: () => nodeIds, keys: () => keys });
    const old = tokenIn(affinity.setCookie(asked(), cookies, 'b'));
    keys = ['new', 'old'];
    expect(affinity.wishOf(asked(cookie(old)), cookies).affinityNode).toBe('b');
    const renewed = tokenIn(affinity.setCookie(asked(cookie(old)), cookies, 'b'));
    expect(renewed).not.toBe(old);
    keys = ['new'];
    expect(affinity.wishOf(asked(cookie(old)), cookies).affinityNode).toBe('');
    expect(affinity.wishOf(asked(cookie(renewed)), cookies).affinityNode).toBe('b');
    for (const forged of [
      affinityToken('chat', 'b'),
      affinityToken('chat', 'b', 'guessed'),
      'b',
      renewed.slice(1),
    ])
      expect(affinity.wishOf(asked(cookie(forged)), cookies).affinityNode).toBe('');
  });

  it('writes the attributes that the policy asks for', () => {
    const affinity = affinityOf(['a']);
    const set = (parts: Partial<CookieRule>, request = asked()) =>
      affinity.setCookie(request, { ...cookies, ...parts }, 'a').replace(/^herald=[\w-]+/, '');
    expect(set({ secure: 'always', sameSite: 'none' })).toBe('; Path=/; Secure; HttpOnly; SameSite=None');
    expect(set({ httpOnly: false, sameSite: 'strict', maxAgeMs: 3_600_500 })).toBe(
      '; Path=/; Max-Age=3600; SameSite=Strict',
    );
    const https = ['X-Forwarded-Proto', 'https'];
    const behindTls = { ...asked(), client: aClient('10.0.0.1', true, https) };
    expect(set({}, behindTls)).toContain('; Secure');
    expect(set({ secure: 'never' }, behindTls)).not.toContain('Secure');
    expect(set({}, { ...asked(), client: aClient('10.0.0.1', false, https) })).not.toContain('Secure');
  });
});

describe('affinity by hash', () => {
  const affinity = affinityOf(['a']);
  const rule = (parts: Partial<HashRule>): HashRule => {
    return { kind: 'source', name: '', segment: 0, yieldAt: 1.1, bound: 1.25, ...parts };
  };
  const keyOf = (parts: Partial<HashRule>, request: AffinityRequest) =>
    affinity.wishOf(request, rule(parts)).affinityKey;
  const at = (target: string): AffinityRequest => ({ ...asked(), head: aHead([], target) });

  it('takes the header, the parameter or the segment as sent', () => {
    const header = asked(['X-Session', 's1', 'x-session', 's2']);
    expect(keyOf({ kind: 'header', name: 'x-session' }, header)).toEqual(hashText('s1'));
    const query = { kind: 'query', name: 'sid' } as const;
    expect(keyOf(query, at('/x?psid=0&sid=a%20b&sid=c'))).toEqual(hashText('a%20b'));
    expect(keyOf({ kind: 'path', segment: 3 }, at('/echo/123/abc/xhr?t=1'))).toEqual(hashText('abc'));
    expect(keyOf({ kind: 'path', segment: 3 }, at('/echo/123/abc'))).toEqual(hashText('abc'));
  });

  it('has no key where the request has nothing to hash', () => {
    expect(keyOf({ kind: 'header', name: 'x-session' }, asked())).toBeUndefined();
    for (const target of ['/x', '/x?', '/x?sid', '/x?sid=', '/x?other=1'])
      expect(keyOf({ kind: 'query', name: 'sid' }, at(target))).toBeUndefined();
    for (const target of ['/', '/echo/info', '/echo/123/'])
      expect(keyOf({ kind: 'path', segment: 3 }, at(target))).toBeUndefined();
    expect(keyOf({}, asked([], 'chat', ''))).toBeUndefined();
  });

  it('knows a source whatever form its address is written in, and an IPv6 one by its network', () => {
    const key = (address: string) => keyOf({}, asked([], 'chat', address));
    expect(key('::ffff:192.0.2.1')).toEqual(key('192.0.2.1'));
    expect(key('192.0.2.2')).not.toEqual(key('192.0.2.1'));
    expect(key('2001:db8::1')).toEqual(key('2001:DB8:0:0:ffff::2'));
    expect(key('2001:db8:0:1::1')).not.toEqual(key('2001:db8::1'));
  });

  it('takes the client that a trusted proxy names, and sets no cookie', () => {
    const fields = ['X-Forwarded-For', '198.51.100.7, 192.0.2.9'];
    const request = { ...asked(fields), client: aClient('10.0.0.1', true, fields) };
    expect(keyOf({}, request)).toEqual(keyOf({}, asked([], 'chat', '192.0.2.9')));
    expect(affinity.setCookie(request, rule({}), 'a')).toBe('');
  });
});
