import { describe, expect, it } from 'vitest';
import { errorCatalogue, type ErrorCode } from '../../../src/core/error.ts';
import { problemBody, problemResponse, statusOf } from '../../../src/protocol/http-error.ts';

describe('a problem', () => {
  it('is JSON with status, stable code and message', () => {
    const body: unknown = JSON.parse(problemBody({ code: 'HERALD_NO_NODE', message: '2 "down"' }));
    expect(body).toMatchObject({ status: 503, code: 'HERALD_NO_NODE', detail: '2 "down"' });
    expect(body).toMatchObject({ type: 'docs/reference/errors.md#herald_no_node' });
  });

  it('as an answer closes the connection and counts its bytes, not its characters', () => {
    const text = problemResponse({ code: 'HERALD_NO_NODE', message: 'für', retryAfterMs: 1_001 });
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 503 Service Unavailable\r\n/);
    expect(head).toContain(`Content-Length: ${Buffer.byteLength(body)}`);
    expect(head).toContain('Retry-After: 2\r\n');
    expect(head).toContain('Connection: close');
  });

  it('has a head without a line break of its message, whatever the message', () => {
    const text = problemResponse({ code: 'HERALD_REQUEST_INVALID', message: 'a\r\nSet-Cookie: x\r\n\r\n' });
    expect(text.split('\r\n\r\n')).toHaveLength(2);
    expect(text).not.toContain('\r\nSet-Cookie');
  });

  it('has the status of its code', () => {
    // Proof of `as`: the keys of the catalogue are the codes.
    const codes = Object.keys(errorCatalogue) as ErrorCode[];
    for (const code of codes) expect(statusOf({ code, message: '' })).toBe(errorCatalogue[code].status);
  });
});
