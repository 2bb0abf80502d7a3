import { describe, expect, it } from 'vitest';
import { askedSwitch, isWebSocket } from '../../../../src/balancer/proxy/protocol-switch.ts';

const asking = (upgrade: string, ...more: string[]) => [
  'Connection',
  'keep-alive, Upgrade',
  'Upgrade',
  upgrade,
  ...more,
];

describe('the protocol that a request asks to switch to', () => {
  it.each(['websocket', 'tcp', 'SPDY/3.1', 'connect-udp'])('is %s', (protocol) => {
    expect(askedSwitch(asking(protocol), 'POST')).toEqual({ method: 'POST', protocol });
    expect(askedSwitch(asking(protocol, 'Content-Length', '0'), 'POST')).toBeDefined();
  });

  it.each(['h2c', 'H2C', 'HTTP/2.0', 'TLS/1.2', 'a, b', 'a/b/c', '/1', 'a/', '', 'a b'])(
    'is none for %j',
    (protocol) => {
      expect(askedSwitch(asking(protocol), 'GET')).toBeUndefined();
    },
  );

  it('is none where the wish is not for this hop, is two, or comes with a body', () => {
    expect(askedSwitch(['Upgrade', 'tcp'], 'GET')).toBeUndefined();
    expect(askedSwitch(asking('tcp', 'upgrade', 'tcp'), 'GET')).toBeUndefined();
    expect(askedSwitch(asking('tcp', 'Content-Length', '1'), 'POST')).toBeUndefined();
    expect(askedSwitch(asking('tcp', 'transfer-encoding', 'chunked'), 'POST')).toBeUndefined();
  });

  it('has frames only as a WebSocket, in any case of letters', () => {
    const protocols = ['websocket', 'WebSocket', 'tcp'];
    expect(protocols.map((protocol) => isWebSocket({ method: 'GET', protocol }))).toEqual([
      true,
      true,
      false,
    ]);
  });
});
