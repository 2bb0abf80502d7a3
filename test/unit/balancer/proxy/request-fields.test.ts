import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Client } from '../../../../src/balancer/proxy/client.ts';
import type { Marks } from '../../../../src/balancer/proxy/marks.ts';
import { webSocketSwitch } from '../../../../src/balancer/proxy/protocol-switch.ts';
import { nodeFields, upgradeRequestText } from '../../../../src/balancer/proxy/request-fields.ts';
import { parseFields, valuesOf } from '../../../../src/protocol/http-head.ts';
import { aClient, aHead } from '../../../support/a-client.ts';

/** The X-Forwarded-For of a stranger at `address`. */
function told(address: string): string[] {
  return valuesOf(nodeFields(aHead([]), aClient(address), unmarked), 'x-forwarded-for');
}

const unmarked = { requestId: '', trace: undefined };
const stranger = aClient('2001:db8::1');

describe('nodeFields', () => {
  it('writes IPv6 addresses as each field wants them', () => {
    const fields = nodeFields(aHead([]), stranger, unmarked);
    expect(valuesOf(fields, 'x-forwarded-for')).toEqual(['2001:db8::1']);
    expect(valuesOf(fields, 'forwarded')).toEqual(['for="[2001:db8::1]";host="chat:80";proto=http']);
  });

  it('tells the port that the client has asked', () => {
    const portOf = (fields: readonly string[], client: Client, target = aHead(fields)) =>
      valuesOf(nodeFields(target, client, unmarked), 'x-forwarded-port').join();
    expect(portOf([], stranger)).toBe('80');
    const noPort = { ...aHead(), host: 'chat' };
    const https = ['X-Forwarded-Proto', 'https'];
    expect(portOf([], stranger, noPort)).toBe('80');
    expect(portOf([], aClient('10.0.0.1', true, https), noPort)).toBe('443');
    expect(portOf([], stranger, { ...noPort, host: '[::1]:8443' })).toBe('8443');
    expect(portOf(['X-Forwarded-Port', '8443'], aClient('10.0.0.1', true))).toBe('8443');
    expect(portOf(['X-Forwarded-Port', '8443'], stranger)).toBe('80');
  });

  it('adds nobody where a trusted peer has no address', () => {
    const peer = { peerAddress: '', isTrusted: true, peerScheme: 'http' } as const;
    const client: Client = { ...peer, scheme: 'http', address: '1.1.1.1' };
    const fields = nodeFields(aHead(['X-Forwarded-For', '1.1.1.1']), client, unmarked);
    expect(valuesOf(fields, 'x-forwarded-for')).toEqual(['1.1.1.1']);
  });

  it('tells by Forwarded whom a trusted peer tells by X-Forwarded-For', () => {
    const claims = ['X-Forwarded-For', '2001:db8::7', 'X-Forwarded-Proto', 'https'];
    const fields = nodeFields(aHead(claims), aClient('10.0.0.1', true, claims), unmarked);
    expect(valuesOf(fields, 'forwarded')).toEqual([
      'for="[2001:db8::7]";proto=https, for=10.0.0.1;host="chat:80";proto=http',
    ]);
  });

  it('has our id of the request, and our trace, in place of those that came', () => {
    const came = ['X-Request-Id', 'a', 'x_request_id', 'b', 'Traceparent', 'c', 'tracestate', 'd'];
    const fields = (marks: Marks) => nodeFields(aHead(came), stranger, marks);
    const marked = fields({ requestId: 'r1', trace: ['traceparent', 't1'] });
    expect(valuesOf(marked, 'x-request-id')).toEqual(['r1']);
    expect(valuesOf(marked, 'x_request_id')).toEqual([]);
    expect(valuesOf(marked, 'traceparent')).toEqual(['t1']);
    expect(valuesOf(marked, 'tracestate')).toEqual([]);
    const kept = fields(unmarked);
    expect(valuesOf(kept, 'x-request-id')).toEqual(['a']);
    expect(valuesOf(kept, 'tracestate')).toEqual(['d']);
    expect(valuesOf(fields({ requestId: '', trace: [] }), 'traceparent')).toEqual([]);
  });

  it('writes a mapped IPv4 address plainly, and an unknown one as unknown', () => {
    expect(told('::ffff:192.0.2.1')).toEqual(['192.0.2.1']);
    expect(told('')).toEqual(['unknown']);
  });

  it('joins several claims of a trusted proxy before ours', () => {
    const head = aHead([
      'X-Forwarded-For',
      '1.1.1.1',
      'x-forwarded-for',
      '2.2.2.2',
      'X_Forwarded_For',
      '6.6.6.6',
    ]);
    const fields = nodeFields(head, aClient('10.0.0.1', true), unmarked);
    expect(valuesOf(fields, 'x-forwarded-for')).toEqual(['1.1.1.1, 2.2.2.2, 10.0.0.1']);
    expect(fields.join()).not.toContain('6.6.6.6');
  });

  it('never lets Connection take Host, the length or our own account away', () => {
    const head = aHead([
      'Connection',
      'host, content-length, x-forwarded-for, cookie',
      'Content-Length',
      '5',
      'Cookie',
      'a',
    ]);
    const fields = nodeFields(head, stranger, unmarked);
    expect(valuesOf(fields, 'host')).toEqual(['chat:80']);
    expect(valuesOf(fields, 'content-length')).toEqual(['5']);
    expect(valuesOf(fields, 'x-forwarded-for')).toEqual(['2001:db8::1']);
    expect(valuesOf(fields, 'cookie')).toEqual([]);
  });

  it('leaves one account of the client and no hop-by-hop field, whatever came', () => {
    const name = fc.constantFrom(
      'Connection',
      'x-forwarded-FOR',
      'X_Forwarded_For',
      'Forwarded',
      'TE',
      'Upgrade',
      'X-A',
      'keep-alive',
    );
    const value = fc.constantFrom('x-a', 'upgrade', 'close, X-A', '1.2.3.4', 'for=1.2.3.4');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), fc.boolean(), (pairs, isTrusted) => {
        const fields = nodeFields(aHead(pairs.flat()), aClient('9.9.9.9', isTrusted), unmarked);
        for (const gone of ['connection', 'te', 'upgrade', 'keep-alive', 'x_forwarded_for'])
          expect(valuesOf(fields, gone)).toEqual([]);
        expect(valuesOf(fields, 'x-forwarded-for')).toHaveLength(1);
        expect(valuesOf(fields, 'forwarded')).toHaveLength(1);
        if (!isTrusted) expect(valuesOf(fields, 'x-forwarded-for')).toEqual(['9.9.9.9']);
      }),
    );
  });
});

describe('upgradeRequestText', () => {
  it('is a head that reads back with exactly one Upgrade and one Connection', () => {
    const head = aHead([
      'Upgrade',
      'websocket',
      'Connection',
      'keep-alive, Upgrade',
      'Sec-WebSocket-Key',
      'k',
    ]);
    const text = upgradeRequestText(webSocketSwitch, head.target, nodeFields(head, stranger, unmarked));
    expect(text).toMatch(/^GET \/a\?b HTTP\/1\.1\r\n/);
    const fields = parseFields(text, text.indexOf('\r\n') + 2) ?? [];
    expect(valuesOf(fields, 'upgrade')).toEqual(['websocket']);
    expect(valuesOf(fields, 'connection')).toEqual(['Upgrade']);
    expect(valuesOf(fields, 'sec-websocket-key')).toEqual(['k']);
  });
});
