import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHead, recogniseUpgrade } from '../../../../src/balancer/proxy/request-head.ts';

const lines = [
  'Host: Chat.Example:8080',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: k',
];
const head = (changed: readonly string[], first = 'GET /a/b?c=/d HTTP/1.1'): string =>
  `${[first, ...changed].join('\r\n')}\r\n\r\n`;
const without = (start: string): string[] => lines.filter((line) => !line.startsWith(start));

describe('recogniseUpgrade', () => {
  it('reads a canonical upgrade', () => {
    expect(recogniseUpgrade(head(lines))).toMatchObject({
      target: '/a/b?c=/d',
      path: '/a/b',
      host: 'Chat.Example:8080',
      hostName: 'chat.example',
    });
  });

  it('takes names and tokens in any case, and a Connection with more than upgrade', () => {
    const odd = ['hOST: a', 'upgrade: WebSocket', 'CONNECTION: keep-alive, upgrade', 'X:'];
    expect(recogniseUpgrade(head(odd))).toMatchObject({ hostName: 'a' });
  });

  it.each([
    ['another method', head(lines, 'POST / HTTP/1.1')],
    ['a method in lower case', head(lines, 'get / HTTP/1.1')],
    ['HTTP/1.0', head(lines, 'GET / HTTP/1.0')],
    ['no version', head(lines, 'GET /')],
    ['two spaces', head(lines, 'GET  / HTTP/1.1')],
    ['a space in the target', head(lines, 'GET /a b HTTP/1.1')],
    ['a fragment', head(lines, 'GET /a#b HTTP/1.1')],
    ['a byte above 127 in the target', head(lines, 'GET /\xe9 HTTP/1.1')],
    ['absolute form', head(lines, 'GET http://a/ HTTP/1.1')],
    ['asterisk form', head(lines, 'GET * HTTP/1.1')],
    ['a blank line before it', `\r\n${head(lines)}`],
    ['no Host', head(without('Host'))],
    ['two Hosts', head([...lines, 'host: b'])],
    ['an empty Host', head([...without('Host'), 'Host:'])],
    ['a Host with user information', head([...without('Host'), 'Host: a@b'])],
    ['no Upgrade', head(without('Upgrade'))],
    ['two Upgrades', head([...lines, 'Upgrade: websocket'])],
    ['another protocol', head([...without('Upgrade'), 'Upgrade: h2c'])],
    ['a list of protocols', head([...without('Upgrade'), 'Upgrade: websocket, h2c'])],
    ['no Connection', head(without('Connection'))],
    ['a Connection without upgrade', head([...without('Connection'), 'Connection: keep-alive'])],
    ['a length', head([...lines, 'Content-Length: 0'])],
    ['a coding', head([...lines, 'transfer-encoding: chunked'])],
    ['an expectation', head([...lines, 'Expect: 100-continue'])],
    ['a folded line', head([...lines, 'X: a', ' b'])],
    ['a bare LF', head([...lines, 'X: a\nY: b'])],
  ])('leaves to node:http what has %s', (_name, text) => {
    expect(recogniseUpgrade(text)).toBeUndefined();
  });

  it('recognises nothing once a control character has been put in', () => {
    const text = head(lines);
    const control = fc.constantFrom('\0', '\x01', '\x0b', '\x1f', '\x7f', '\r', '\n');
    fc.assert(
      fc.property(control, fc.nat(text.length - 5), (character, at) => {
        // A LF behind a CR, or a CR before one, only doubles half of a line end, and breaks that line.
        const broken = text.slice(0, at) + character + text.slice(at);
        expect(recogniseUpgrade(broken)).toBeUndefined();
      }),
    );
  });
});

describe('checkHead', () => {
  it.each([
    ['[::1]:80', '[::1]'],
    ['192.0.2.1', '192.0.2.1'],
    ['A_b-c.D:1', 'a_b-c.d'],
  ])('takes the Host %s', (host, hostName) => {
    expect(checkHead('/', ['Host', host])).toMatchObject({ ok: true, head: { hostName } });
  });

  it.each([
    ['http://A:80/x?y', '/x?y'],
    ['https://a:80', '/'],
    ['http://a:80?y', '/?y'],
  ])('reads the absolute form %s as %s', (asked, target) => {
    expect(checkHead(asked, ['Host', 'a:80'])).toMatchObject({ ok: true, head: { target } });
  });

  it('names the rule that is broken', () => {
    expect(checkHead('a/', ['Host', 'a'])).toMatchObject({
      ok: false,
      rule: expect.stringContaining('slash'),
    });
    expect(checkHead('http://b/', ['Host', 'a'])).toMatchObject({
      ok: false,
      rule: expect.stringContaining('same host'),
    });
    expect(checkHead('/', [])).toMatchObject({ ok: false, rule: expect.stringContaining('this one has 0') });
    expect(checkHead('/', ['Host', 'a"b'])).toMatchObject({
      ok: false,
      rule: expect.stringContaining('Host'),
    });
  });
});
