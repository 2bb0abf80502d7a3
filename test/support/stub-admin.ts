// The admin API as a stub on a UNIX socket: answers by method and path, and keeps what was asked.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ErrorCode } from '../../src/core/error.ts';
import { problemOf } from '../../src/protocol/problem.ts';

/** One request as the stub saw it. */
export interface Asked {
  /** `PUT /v1/nodes/a/admin-state?x=1` */
  readonly what: string;
  readonly body: unknown;
  readonly headers: IncomingMessage['headers'];
}

/** Answers with JSON, or writes the answer itself and says `undefined`. */
export type StubHandler = (asked: Asked, response: ServerResponse) => unknown;

/** A stub that listens. */
export interface StubAdmin {
  readonly socketPath: string;
  readonly asked: readonly Asked[];
  /** What was sent to this method and path. */
  bodies(what: string): unknown[];
}

/** An answer that is an error of the catalogue. */
export function refusal(response: ServerResponse, code: ErrorCode, message: string): undefined {
  const body = problemOf({ code, message });
  response.writeHead(body.status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify(body));
}

/** Answers in turn; the last one again and again. */
export function inTurn<Answer>(...answers: readonly Answer[]): () => Answer | undefined {
  let next = 0;
  return () => answers[Math.min(next++, answers.length - 1)];
}

/** A stub for one test. Keys are method and path without query; what has no handler is HERALD_NOT_FOUND. */
export async function aStubAdmin(handlers: Readonly<Record<string, StubHandler>>): Promise<StubAdmin> {
  const folder = mkdtempSync(join(tmpdir(), 'hc-'));
  const socketPath = join(folder, 'h.sock');
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void answer(request, response, { handlers, asked });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    socketPath,
    asked,
    bodies: (what) => asked.filter((each) => each.what === what).map(({ body }) => body),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { handlers, asked }: { handlers: Readonly<Record<string, StubHandler>>; asked: Asked[] },
): Promise<void> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  const what = `${request.method} ${request.url}`;
  const one = {
    what,
    body: text === '' ? undefined : (JSON.parse(text) as unknown),
    headers: request.headers,
  };
  asked.push(one);
  const handler = handlers[what.split('?', 1)[0] ?? ''];
  if (handler === undefined) return refusal(response, 'HERALD_NOT_FOUND', `no handler for ${what}`);
  const json = handler(one, response);
  if (json === undefined) return undefined;
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(json));
}
