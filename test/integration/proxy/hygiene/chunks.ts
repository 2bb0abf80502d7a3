// Chunks: raw requests and what must come of them. What the columns mean is in case.ts.
import type { HygieneCase } from './case.ts';

/** Chunks. */
export const chunks: readonly HygieneCase[] = [
  {
    name: 'a chunk extension',
    why: 'legal; nobody uses it, so it is dropped',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\n\r\n',
    told: '200',
    node: [
      'POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ],
  },
  {
    name: 'a bare LF in an extension',
    why: 'one side ends the line there',
    request:
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\nhello\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'a bare CR in an extension',
    why: 'the same with CR',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5;a\rb\r\nhello\r\n0\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'a size past 64 bits',
    why: 'wraps around',
    request:
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000005\r\nhello\r\n0\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'a size with 0x',
    why: '0, or the number behind it',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'a negative size',
    why: 'an overflow in careless readers',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'a space behind the size',
    why: 'forgiving readers skip it',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5 \r\nhello\r\n0\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'an empty size',
    why: '0, or an error',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\r\nhello\r\n0\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'a bare LF behind the size',
    why: 'readers that end lines at LF go on',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\nhello\r\n0\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'a chunk longer than its size',
    why: 'the rest is the next size, or lost',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'a trailer',
    why: 'RFC 9110, 6.5.1: may be dropped by whoever passes the body on, as here',
    request:
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n',
    told: '200',
    node: [
      'POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ],
  },
  {
    name: 'a trailer that sets a length',
    why: 'fields that frame or route must not come late',
    request:
      'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nContent-Length: 50\r\nHost: b\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'chunks that never end',
    why: 'the exchange ends with the idle time',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
    told: '408',
    node: [
      'POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello',
    ],
  },
  {
    name: 'a body that never ends',
    why: 'the same with a length',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello',
    told: '408',
    node: ['POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 50\r\n\r\nhello'],
  },
];
