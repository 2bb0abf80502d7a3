// Upgrades: raw requests and what must come of them. What the columns mean is in case.ts.
import type { HygieneCase } from './case.ts';

/** Upgrades. */
export const upgrades: readonly HygieneCase[] = [
  {
    name: 'a WebSocket upgrade',
    why: 'the way it must be',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    told: '101',
    node: [
      'GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
  },
  {
    name: 'an upgrade with early bytes',
    why: 'frames may follow at once; they reach the node after its 101 only',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n\x81\x80abcd',
    told: '101',
    node: [
      'GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      '\x81\x80abcd',
    ],
  },
  {
    name: 'an upgrade with a length',
    why: 'a body that the node reads, or frames',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nContent-Length: 4\r\n\r\nabcd',
    told: '400',
    node: [],
  },
  {
    name: 'an upgrade with a length of 0',
    why: 'a body all the same',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'an upgrade with chunks',
    why: 'the same with chunks',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'an upgrade by POST',
    why: 'no WebSocket begins so',
    request:
      'POST /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'an upgrade in HTTP/1.0',
    why: 'RFC 9110: Upgrade in 1.0 is ignored',
    request:
      'GET /ws HTTP/1.0\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    told: '200',
    node: [
      'GET /ws HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    ],
  },
  {
    name: 'an upgrade with two Hosts',
    why: 'routed by one, served by the other',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nHost: b\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'an upgrade in absolute form',
    why: 'the form of any request',
    request:
      'GET http://a/ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    told: '101',
    node: [
      'GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
  },
  {
    name: 'an upgrade with a folded field',
    why: 'hides a field',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nX: a\r\n b\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'an upgrade with bare LF',
    why: 'hides a field',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nX: a\nY: b\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'an upgrade with NUL',
    why: 'ends the text',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nX: a\x00\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'an upgrade with a space before a colon',
    why: 'hides a field',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nX : a\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'an upgrade with an expectation',
    why: 'a GET without a body has nothing to wait for',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nExpect: 100-continue\r\n\r\n',
    told: '101',
    node: [
      'GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
  },
  {
    name: 'an upgrade to two protocols',
    why: 'which one was chosen?',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket, h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    told: '200',
    node: [
      'GET /ws HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    ],
  },
  {
    name: 'an upgrade that Connection does not name',
    why: 'no wish for an upgrade',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    told: '200',
    node: [
      'GET /ws HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    ],
  },
  {
    name: 'an upgrade to h2c',
    why: 'HTTP/2 that nobody on the way could read: ignored',
    request:
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
  {
    name: 'an upgrade to h2c with a body',
    why: 'the body is read',
    request:
      'POST /a HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 5\r\n\r\nhello',
    told: '200',
    node: ['POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello'],
  },
  {
    name: 'an upgrade to something unknown',
    why: 'the node decides; here it ignores the wish',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n'],
  },
  {
    name: 'an upgrade refused by a rule with a request behind it',
    why: 'what follows a refused request is not believed',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nHost: b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'an upgrade behind a request',
    why: 'its 101 must not land in the answer before',
    request:
      'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
  {
    name: 'Connection of an upgrade that names Host',
    why: 'as for any request',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade, Host\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    told: '101',
    node: [
      'GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
  },
];
