// Lines and fields: raw requests and what must come of them. What the columns mean is in case.ts.
import type { HygieneCase } from './case.ts';

/** Lines and fields. */
export const linesPart2: readonly HygieneCase[] = [
  {
    name: 'a head that stops',
    why: 'slow on purpose: 408',
    request: 'GET / HTTP/1.1\r\nHost: a\r\nX: ',
    told: '408',
    node: [],
  },
  {
    name: 'nonsense',
    why: 'no HTTP',
    request: 'nonsense\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'a TLS hello on a plain listener',
    why: 'a client with the wrong scheme',
    request: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
    told: '400',
    node: [],
  },
  {
    name: 'a claim about the client',
    why: 'X-Forwarded-For of a stranger is replaced, in every spelling',
    request:
      'GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6\r\nX_Forwarded_For: 6.6.6.6\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n\r\n',
    told: '200',
    node: ['GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive\r\n\r\n'],
  },
];
