import { describe, expect, it } from 'vitest';
import {
  createReporters,
  refuseForeignPool,
  type IntakeToken,
} from '../../../../src/balancer/intake/reporters.ts';

const token: IntakeToken = { name: 'agents', role: 'report', pools: ['chat'], secret: 's3cret' };

describe('a reporter', () => {
  it('on loopback is its address, for all pools', () => {
    const find = createReporters({ tokens: [token], loopbackNeedsToken: false });
    expect(find(undefined, '127.0.0.1')).toEqual({ identity: '127.0.0.1', pools: 'all' });
    expect(find(undefined, '::1')).toEqual({ identity: '::1', pools: 'all' });
  });

  it('elsewhere needs a token', () => {
    const find = createReporters({ tokens: [], loopbackNeedsToken: false });
    expect(() => find(undefined, '10.0.0.1')).toThrow('reports from 10.0.0.1 need a token');
    expect(() => find(undefined, '')).toThrow(expect.objectContaining({ code: 'HERALD_TOKEN_INVALID' }));
  });

  it('is the name of its token wherever it comes from', () => {
    const find = createReporters({ tokens: [token], loopbackNeedsToken: true });
    expect(find('Bearer s3cret', '10.0.0.1')).toEqual({ identity: 'agents', pools: ['chat'] });
    expect(find('bearer  s3cret ', '127.0.0.1')).toEqual({ identity: 'agents', pools: ['chat'] });
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    's3cret',
    'Basic s3cret',
    'Bearer s3cre',
    'Bearer s3cret2',
    'Bearer S3CRET',
  ])('is nobody with %j', (authorization) => {
    const find = createReporters({ tokens: [token], loopbackNeedsToken: false });
    expect(() => find(authorization, '127.0.0.1')).toThrow('this token is not known here');
  });

  it('is never named by the secret in an error', () => {
    const find = createReporters({ tokens: [{ ...token, role: 'operate' }], loopbackNeedsToken: false });
    expect(() => find('Bearer s3cret', '127.0.0.1')).toThrow(
      "token 'agents' has the role 'operate': only 'report' may report",
    );
  });

  it('is bound to its pools', () => {
    expect(() => refuseForeignPool({ identity: 'agents', pools: ['chat', 'games'] }, 'mail')).toThrow(
      "token 'agents' is not good for pool 'mail', only for: chat, games",
    );
    expect(() => refuseForeignPool({ identity: 'agents', pools: ['chat'] }, 'chat')).not.toThrow();
    expect(() => refuseForeignPool({ identity: '::1', pools: 'all' }, 'chat')).not.toThrow();
  });
});
