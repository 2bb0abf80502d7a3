import { describe, expect, it } from 'vitest';
import { parseAnswer, refusedSwitchText, switchText } from '../../../../src/balancer/proxy/answer-head.ts';

const unmarked = { requestId: '', trace: undefined };
const accepted = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n';

function answerOf(text: string) {
  const answer = parseAnswer(text, 'websocket');
  if (answer === undefined) throw new Error('not an answer');
  return answer;
}

describe('parseAnswer', () => {
  it('reads a 101 to a WebSocket', () => {
    expect(parseAnswer(`${accepted}\r\n`, 'websocket')).toMatchObject({
      status: 101,
      reason: 'Switching Protocols',
    });
  });

  it('reads a status line without a reason', () => {
    expect(parseAnswer('HTTP/1.1 404\r\n\r\n', 'websocket')).toMatchObject({
      status: 404,
      reason: '',
      body: { kind: 'close' },
    });
  });

  it('reads a 101 to another protocol, by its name and version', () => {
    const text = (to: string) => `HTTP/1.1 101 OK\r\nConnection: Upgrade\r\nUpgrade: ${to}\r\n\r\n`;
    expect(parseAnswer(text('spdy/3.1'), 'SPDY/3.1')).toMatchObject({ status: 101 });
    expect(parseAnswer(text('SPDY/3'), 'SPDY/3.1')).toBeUndefined();
    expect(parseAnswer(text('websocket'), 'tcp')).toBeUndefined();
  });

  it.each([
    'HTTP/2 200 OK\r\n\r\n',
    'HTTP/1.1 600 X\r\n\r\n',
    'HTTP/1.1 99 X\r\n\r\n',
    'HTTP/1.1 200 a\0b\r\n\r\n',
    'ICY 200 OK\r\n\r\n',
    '\r\n\r\n',
    'HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n',
    'HTTP/1.1 101 X\r\nConnection: upgrade\r\n\r\n',
    `${accepted}Transfer-Encoding: chunked\r\n\r\n`,
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  ])('refuses %j', (text) => {
    expect(parseAnswer(text, 'websocket')).toBeUndefined();
  });
});

describe('the head for the client', () => {
  it('of a 101 has the cookie, the negotiated fields, and no length', () => {
    const answer = answerOf(
      `${accepted}Sec-WebSocket-Protocol: chat\r\nContent-Length: 0\r\nKeep-Alive: x\r\n\r\n`,
    );
    expect(switchText('websocket', answer, { setCookie: 'herald=a; Path=/', marks: unmarked })).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Protocol: chat\r\nSet-Cookie: herald=a; Path=/\r\n\r\n',
    );
  });

  it('of any other answer keeps how its body ends and closes the connection', () => {
    expect(
      refusedSwitchText(
        answerOf('HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n'),
        unmarked,
      ),
    ).toBe('HTTP/1.1 503 Busy\r\nX: 1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n');
    expect(refusedSwitchText(answerOf('HTTP/1.0 401 No\r\nContent-Length: 3\r\n\r\n'), unmarked)).toContain(
      'Content-Length: 3\r\n',
    );
  });

  it('tells the id of the request once, in place of what the node says', () => {
    const marks = { requestId: 'r1', trace: ['traceparent', 'x'] };
    const said = 'x-request-id: theirs\r\nTraceparent: kept\r\n';
    expect(switchText('websocket', answerOf(`${accepted}${said}\r\n`), { setCookie: '', marks })).toMatch(
      /websocket\r\nTraceparent: kept\r\nX-Request-Id: r1\r\n\r\n$/,
    );
    expect(refusedSwitchText(answerOf(`HTTP/1.1 401 No\r\n${said}Content-Length: 0\r\n\r\n`), marks)).toBe(
      'HTTP/1.1 401 No\r\nTraceparent: kept\r\nContent-Length: 0\r\nX-Request-Id: r1\r\nConnection: close\r\n\r\n',
    );
  });
});
