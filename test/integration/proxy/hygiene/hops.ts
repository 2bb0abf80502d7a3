// Hop by hop: raw requests and what must come of them. What the columns mean is in case.ts.
import type { HygieneCase } from './case.ts';

/** Hop by hop. */
export const hops: readonly HygieneCase[] = [
  {
    name: 'Connection: close with a field',
    why: 'the field named ends here',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Foo\r\nX-Foo: 1\r\nX-Bar: 2\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\nX-Bar: 2\r\n\r\n'],
  },
  {
    name: 'Connection that names Host',
    why: 'would take away whom the request is for',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Host\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
  {
    name: 'Connection that names Content-Length',
    why: 'would take away where the body ends',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nConnection: Content-Length\r\nContent-Length: 5\r\n\r\nhello',
    told: '200',
    node: ['POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello'],
  },
  {
    name: 'Connection that names Transfer-Encoding',
    why: 'the same with chunks',
    request:
      'POST /a HTTP/1.1\r\nHost: a\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    told: '200',
    node: [
      'POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ],
  },
  {
    name: 'Connection that names X-Forwarded-For',
    why: 'would take away who the client is: ours is written afterwards',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Forwarded-For\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
  {
    name: 'Connection that names Cookie',
    why: "the client's own wish",
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Cookie\r\nCookie: a=b\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
  {
    name: 'Connection: Upgrade without Upgrade',
    why: 'an ordinary request',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
  {
    name: 'an odd Connection',
    why: 'empty members and unknown options mean nothing',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nConnection: ,, keep-alive ,\tX-Foo,\r\nX-Foo: 1\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
  {
    name: 'the fields of a hop',
    why: 'Keep-Alive, Proxy-Connection, Trailer, proxy credentials end here; that trailers are taken is said anew',
    request:
      'GET / HTTP/1.1\r\nHost: a\r\nKeep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nTE: trailers\r\nTrailer: X\r\nProxy-Authorization: Basic YTpi\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\nTE: trailers\r\n\r\n'],
  },
  {
    name: 'Expect: 100-continue',
    why: 'the proxy answers 100 itself, at once, and asks nothing of the node',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
    told: '100 200',
    node: ['POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello'],
  },
  {
    name: 'Expect: 100-continue in HTTP/1.0',
    why: 'RFC 9110, 10.1.1: ignored',
    request: 'POST /a HTTP/1.0\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello',
    told: '200',
    node: ['POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello'],
  },
  {
    name: 'an unknown expectation',
    why: '417 may be answered',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nExpect: miracles\r\nContent-Length: 5\r\n\r\nhello',
    told: '417',
    node: [],
  },
  {
    name: 'HTTP/1.0',
    why: 'the connection ends with the answer',
    request: 'GET / HTTP/1.0\r\nHost: a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
  {
    name: 'HTTP/1.0 with keep-alive',
    why: 'the connection stays',
    request: 'GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\nGET /2 HTTP/1.0\r\nHost: a\r\n\r\n',
    told: '200 200',
    node: [
      'GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n',
      'GET /2 HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n',
    ],
  },
  {
    name: 'HTTP/1.1 with close',
    why: 'what follows is not read',
    request:
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
  {
    name: 'two requests at once',
    why: 'pipelining: answered in order',
    request: 'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
    told: '200 200',
    node: [
      'GET /1 HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n',
      'GET /2 HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n',
    ],
  },
  {
    name: 'a POST with a GET behind it',
    why: 'RFC 9112, 9.3.2: the second waits for the first, which may change what it sees',
    request:
      'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
    told: '200 200',
    node: [
      'POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello',
      'GET /2 HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n',
    ],
  },
  {
    name: 'nonsense behind a request',
    why: 'the request is answered or cut; the nonsense is no request',
    request: 'GET / HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
  {
    name: 'an empty line behind a body',
    why: 'old browsers send one',
    request:
      'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n',
    told: '200 200',
    node: [
      'POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello',
      'GET /2 HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n',
    ],
  },
];
