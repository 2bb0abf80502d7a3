// The CLI's way to a running balancer: JSON over its admin socket.
import { existsSync } from 'node:fs';
import { Client } from 'undici';
import { HeraldError, errorCatalogue, type ErrorCode } from '../core/error.ts';

/** Asks a balancer. `close` when done. */
export interface AdminClient {
  /** The JSON at this path. Throws HERALD_UNREACHABLE, or the error that the balancer answered. */
  get<Answer>(path: string): Promise<Answer>;
  close(): Promise<void>;
}

const timeoutMs = 5000;

/** A client of the balancer that listens at `socketPath`. Nothing is sent before the first call. */
export function createAdminClient(socketPath: string): AdminClient {
  const client = new Client('http://localhost', {
    socketPath,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connect: { timeout: timeoutMs },
  });
  return {
    async get<Answer>(path: string): Promise<Answer> {
      const { statusCode, body } = await request(client, socketPath, path);
      if (statusCode >= 400) throw answeredError(statusCode, body);
      // The balancer of this package answers the types of this package (protocol/admin-api.ts).
      return body as Answer;
    },
    close: () => client.close(),
  };
}

async function request(
  client: Client,
  socketPath: string,
  path: string,
): Promise<{ statusCode: number; body: unknown }> {
  try {
    const { statusCode, body } = await client.request({ method: 'GET', path });
    return { statusCode, body: await body.json() };
  } catch (cause) {
    throw new HeraldError('HERALD_UNREACHABLE', whyUnreachable(socketPath, cause), { socketPath }, { cause });
  }
}

function whyUnreachable(socketPath: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const hint = 'start it with `herald serve`, or name its socket with --socket or HERALD_SOCKET';
  if (!existsSync(socketPath))
    return `no balancer listens at ${socketPath}: there is no such socket; ${hint}`;
  if (code === 'EACCES')
    return `${socketPath} may not be opened by this user (EACCES); use the balancer's user`;
  return `the balancer at ${socketPath} does not answer (${code}); ${hint}`;
}

function answeredError(statusCode: number, body: unknown): HeraldError {
  const problem = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const code = String(problem['code'] ?? '');
  const detail = String(problem['detail'] ?? problem['title'] ?? `the balancer answered ${statusCode}`);
  return new HeraldError(isErrorCode(code) ? code : 'HERALD_INTERNAL', detail);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
