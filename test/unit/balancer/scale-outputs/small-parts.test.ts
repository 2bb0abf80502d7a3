import { describe, expect, it } from 'vitest';
import { retryAfterMs } from '../../../../src/balancer/scale-outputs/delivery-backoff.ts';
import { signatureOf } from '../../../../src/balancer/scale-outputs/signature.ts';
import {
  createEventWriter,
  gistOf,
  isWanted,
} from '../../../../src/balancer/scale-outputs/webhooks-event.ts';
import { plainLine } from '../../../../src/balancer/scale-outputs/webhooks-words.ts';
import { complainAboutArgument, fillArgument } from '../../../../src/policy/command-template.ts';
import { aScaling } from '../../../support/a-scaling.ts';

describe('a signature', () => {
  it('has the instant and one HMAC for each secret, the first secret first', () => {
    const one = signatureOf('{}', 1_700_000_000, ['first-secret-0123']);
    const both = signatureOf('{}', 1_700_000_000, ['first-secret-0123', 'second-secret-012']);
    expect(one).toMatch(/^t=1700000000,v1=[0-9a-f]{64}$/);
    expect(both.startsWith(`${one},v1=`)).toBe(true);
    expect(both).toMatch(/^t=1700000000,v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/);
  });

  it('is another one for another body, instant or secret', () => {
    const all = [
      signatureOf('{}', 1, ['a']),
      signatureOf('{ }', 1, ['a']),
      signatureOf('{}', 2, ['a']),
      signatureOf('{}', 1, ['b']),
    ].map((signature) => signature.split('v1=')[1]);
    expect(new Set(all).size).toBe(4);
  });
});

describe('which events a webhook wants', () => {
  const event = (type: string, pool = 'chat') => ({ type, pool });

  it('goes by type, whole or by its beginning', () => {
    const hook = { pools: 'all' as const, events: ['scale.*', 'operation.ended'] };
    expect(isWanted(hook, event('scale.recommended'))).toBe(true);
    expect(isWanted(hook, event('scale.failed'))).toBe(true);
    expect(isWanted(hook, event('operation.ended'))).toBe(true);
    expect(isWanted(hook, event('operation.started'))).toBe(false);
    expect(isWanted(hook, event('scaled.else'))).toBe(false);
  });

  it('goes by pool; what concerns no pool is for those of all pools', () => {
    const events = ['*'];
    expect(isWanted({ pools: ['chat'], events }, event('node.up'))).toBe(true);
    expect(isWanted({ pools: ['chat'], events }, event('node.up', 'games'))).toBe(false);
    expect(isWanted({ pools: ['chat'], events }, event('freeze.began', ''))).toBe(false);
    expect(isWanted({ pools: 'all', events }, event('freeze.began', ''))).toBe(true);
  });

  it('never has what is about webhooks', () => {
    expect(isWanted({ pools: 'all', events: ['*'] }, event('webhook.failing', ''))).toBe(false);
  });
});

describe('the body of an event', () => {
  const writer = createEventWriter({ version: '1.2.3', epoch: 'abc' });

  it('has an id of this process, and what happened', () => {
    const facts = { operation: 'drain-1' };
    const about = { pool: 'chat', node: 'a', by: 'local', why: '', message: 'It is over.', facts };
    const at = '2026-01-01T00:00:00.000Z';
    const { id, body } = writer.ofRecord({ id: 7, at, type: 'operation.ended', ...about });
    expect(id).toBe('abc.7');
    expect(JSON.parse(body)).toEqual({
      version: 1,
      id: 'abc.7',
      type: 'operation.ended',
      pool: 'chat',
      at,
      balancer: { version: '1.2.3', epoch: 'abc' },
      data: { node: 'a', by: 'local', why: '', message: 'It is over.', facts },
    });
  });

  it('has the whole recommendation, each with an id of its own', () => {
    const scaling = aScaling({ action: 'out', desiredNodes: 5 });
    const [first, second] = [writer.ofScaling(scaling), writer.ofScaling(scaling)];
    expect(JSON.parse(first.body)).toMatchObject({ type: 'scale.recommended', pool: 'chat', data: scaling });
    expect(first.id).not.toBe(second.id);
  });
});

describe('a recommendation is news', () => {
  const victim = (id: string, connections = 1) => ({ id, zone: '', connections, reason: '' });

  it('when it asks for something else, not when only loads have changed', () => {
    const base = aScaling({ victims: [victim('a'), victim('b')] });
    expect(gistOf({ ...base, load: 0.7, totalLoad: 2, reason: 'other' })).toBe(gistOf(base));
    expect(gistOf({ ...base, victims: [victim('b', 9), victim('a', 8)] })).toBe(gistOf(base));
    expect(gistOf({ ...base, desiredNodes: 4 })).not.toBe(gistOf(base));
    expect(gistOf({ ...base, victims: [victim('a')] })).not.toBe(gistOf(base));
    expect(gistOf({ ...base, isFrozen: true })).not.toBe(gistOf(base));
  });
});

describe('Retry-After', () => {
  it('is read as seconds; a date and nonsense are none', () => {
    expect(retryAfterMs('120')).toBe(120_000);
    expect(retryAfterMs(' 0 ')).toBe(0);
    for (const field of [undefined, '', '-1', '1.5', '1e9', 'Wed, 21 Oct 2026 07:28:00 GMT', '99999999999'])
      expect(retryAfterMs(field)).toBeUndefined();
  });
});

describe('words of others', () => {
  it('become one plain line of bounded length', () => {
    expect(plainLine('a\r\n\u001b[31mred\u202e  b\0')).toBe('a [31mred b');
    expect(plainLine('x'.repeat(1000)).length).toBe(301);
    expect(plainLine(' \n ')).toBe('');
  });
});

describe('an argument of a command', () => {
  const values = {
    id: 'out-1',
    pool: 'chat',
    action: 'out',
    desired: '5',
    current: '3',
    victim: '',
    victims: '',
    reason: 'it {pool} $(x)',
  };

  it('takes each value once: what is put in is not read again', () => {
    expect(fillArgument('{pool}={desired}', values)).toBe('chat=5');
    expect(fillArgument('{reason}', values)).toBe('it {pool} $(x)');
  });

  it('keeps what is in two braces, and what is no placeholder', () => {
    expect(fillArgument('{{pool}}', values)).toBe('{pool}');
    expect(fillArgument('{"desired": {desired}, "x": {"y": 1}}', values)).toBe(
      '{"desired": 5, "x": {"y": 1}}',
    );
    expect(fillArgument('awk {{print}}', values)).toBe('awk {print}');
  });

  it('is complained about when it holds another word, with the one that was meant', () => {
    expect(complainAboutArgument('--to={desird}')).toEqual({
      message: '{desird} is no placeholder',
      hint: 'did you mean desired?; {{desird}} is {desird} itself',
    });
    expect(complainAboutArgument('{POOL}')?.hint).toMatch(/^did you mean pool/);
    expect(complainAboutArgument('{{print}} {pool} {} { }')).toBeUndefined();
  });
});
