// Where a body ends: raw requests and what must come of them. What the columns mean is in case.ts.
import type { HygieneCase } from './case.ts';

/** Where a body ends. */
export const framingPart2: readonly HygieneCase[] = [
  {
    name: 'a length past 64 bits',
    why: 'wraps around to a small number',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551621\r\n\r\nhello',
    told: '400',
    node: [],
  },
  {
    name: 'a length with spaces around it',
    why: 'legal: white space around a value means nothing',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length:  5 \r\n\r\nhello',
    told: '200',
    node: ['POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello'],
  },
  {
    name: 'a length with leading zeros',
    why: 'legal digits; an octal reader is wrong',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 005\r\n\r\nhello',
    told: '200',
    node: ['POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello'],
  },
  {
    name: 'a length with an underscore',
    why: 'CGI servers cannot tell it from a hyphen',
    request: 'POST /a HTTP/1.1\r\nHost: a\r\nContent_Length: 5\r\n\r\n',
    told: '200',
    node: ['POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 0\r\n\r\n'],
  },
  {
    name: 'a GET with a body',
    why: 'legal, if rare: it must not become a second request',
    request: 'GET /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    told: '200',
    node: ['GET /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 5\r\n\r\nhello'],
  },
  {
    name: 'a body of a request in the body',
    why: 'bytes of a body are never a request',
    request:
      'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    told: '200',
    node: [
      'POST /a HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\ncontent-length: 35\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
    ],
  },
];
