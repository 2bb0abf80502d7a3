// Answers of the node: raw answers and what must come of them. What the columns mean is in case.ts.
import type { HygieneCase } from './case.ts';

/** Answers of the node. */
export const answersPart2: readonly HygieneCase[] = [
  {
    name: 'chunks with a trailer',
    why: 'trailers of an answer pass, and so does what announces them',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client:
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
  },
  {
    name: 'trailers that belong into a head',
    why: 'a cookie, a place to go and the fields of a hop come too late there',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n',
    answer:
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: Set-Cookie, X-Sum\r\n\r\n2\r\nok\r\n0\r\nSet-Cookie: a=1\r\nLocation: /b\r\nKeep-Alive: timeout=9\r\nX-Sum: 1\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\nTE: trailers\r\n\r\n'],
    client:
      'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
  },
  {
    name: 'a trailer that sets a length, of an answer',
    why: 'a reader that believes it finds another end: the client must not take the answer for whole',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nContent-Length: 50\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client:
      'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
  },
  {
    name: 'chunks for an HTTP/1.0 client',
    why: "1.0 knows no chunks: the connection's end ends the body",
    request: 'GET / HTTP/1.0\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client: 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok',
  },
  {
    name: 'a chunk size that is none',
    why: 'the client must not take the half for the whole',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\nxyz\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client:
      'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n',
  },
  {
    name: 'a body that stops short',
    why: 'the client must see that it is not whole',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf',
    closes: true,
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client:
      'HTTP/1.1 200 OK\r\nContent-Length: 20\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\n\r\nhalf',
  },
  {
    name: 'an answer without a length',
    why: 'ends with the connection',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.1 200 OK\r\n\r\nall of it',
    closes: true,
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client:
      'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n',
  },
  {
    name: 'an answer of HTTP/1.0',
    why: 'the same; the version of the hop is ours',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.0 200 OK\r\n\r\nall of it',
    closes: true,
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client:
      'HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nall of it\r\n0\r\n\r\n',
  },
  {
    name: 'the hop fields of an answer',
    why: 'end here, with what Connection names',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer:
      'HTTP/1.1 200 OK\r\nConnection: X-Foo, keep-alive\r\nX-Foo: 1\r\nKeep-Alive: timeout=900\r\nProxy-Authenticate: Basic\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\nok',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client:
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\n\r\nok',
  },
  {
    name: 'two cookies',
    why: 'stay two fields',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nok',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client:
      'HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\n\r\nok',
  },
  {
    name: 'a status of 99',
    why: 'no status',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.1 99 Odd\r\nContent-Length: 2\r\n\r\nok',
    told: '502',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client: 'an error of the proxy',
  },
  {
    name: 'a status of 999',
    why: 'three digits pass as they are',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.1 999 Odd\r\nContent-Length: 2\r\n\r\nok',
    told: '999',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client:
      'HTTP/1.1 999 Odd\r\nContent-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\n\r\nok',
  },
  {
    name: 'a status of four digits',
    why: 'no status',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.1 2000 Odd\r\nContent-Length: 2\r\n\r\nok',
    told: '502',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client: 'an error of the proxy',
  },
  {
    name: 'an answer of HTTP/2',
    why: 'no answer to this',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/2 200\r\nContent-Length: 2\r\n\r\nok',
    told: '502',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client: 'an error of the proxy',
  },
  {
    name: 'no reason phrase',
    why: 'legal',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client: 'HTTP/1.1 200 \r\nContent-Length: 2\r\nConnection: keep-alive\r\nKeep-Alive: timeout=0\r\n\r\nok',
  },
  {
    name: 'no answer at all',
    why: '502',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: '',
    closes: true,
    told: '502',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client: 'an error of the proxy',
  },
  {
    name: 'nonsense as an answer',
    why: '502',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    answer: 'nonsense\r\n\r\n',
    closes: true,
    told: '502',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
    client: 'an error of the proxy',
  },
  {
    name: 'two answers to an upgrade',
    why: 'nothing behind a refused upgrade is passed on',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    answer:
      'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nnoHTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled',
    told: '403',
    node: [
      'GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    client: 'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno',
  },
  {
    name: 'an upgrade refused with a length and chunks',
    why: 'two readers, two ends',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    answer:
      'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n',
    told: '502',
    node: [
      'GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    client: 'an error of the proxy',
  },
  {
    name: 'a 103 before a 101',
    why: 'browsers that wait for a 101 know nothing else: dropped',
    request:
      'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
    answer:
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\nHTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    told: '101',
    node: [
      'GET /ws HTTP/1.1\r\nHost: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    client:
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
  },
];
