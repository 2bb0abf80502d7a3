// The CLI's way to a running balancer: JSON and event streams over its admin socket or its admin listener.
import { existsSync } from 'node:fs';
import { Client, type Dispatcher } from 'undici';
import { HeraldError, errorCatalogue, type ErrorCode } from '../core/error.ts';
import { targetName, type AdminTarget } from './admin-target.ts';

/** Asks a balancer. `close` when done. */
export interface AdminClient {
  /** Where it asks, for sentences. */
  readonly name: string;
  /** The JSON at this path. Throws HERALD_UNREACHABLE, or the error that the balancer answered. */
  get<Answer>(path: string): Promise<Answer>;
  /** Sends a body, or none, and reads the answer. Throws as `get`. */
  send<Answer>(method: 'PUT' | 'POST' | 'DELETE', path: string, options?: SendOptions): Promise<Answer>;
  /** An endless answer in pieces, until it ends, fails or `signal` is aborted. Throws as `get` when it is refused. */
  stream(path: string, options: StreamOptions): Promise<AsyncIterable<Uint8Array>>;
  close(): Promise<void>;
}

/** What goes with a request that changes something. */
export interface SendOptions {
  readonly body?: unknown;
  /** For the audit event, where there is no body to say it in; ASCII. */
  readonly why?: string;
}

/** What goes with a stream. */
export interface StreamOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

const usualTimeoutMs = 5000;

/** A client of this balancer. Nothing is sent before the first call. */
export function createAdminClient(target: AdminTarget, timeoutMs = usualTimeoutMs): AdminClient {
  const client = connect(target, timeoutMs);
  const authorization: Record<string, string> =
    target.kind === 'url' && target.token !== undefined ? { authorization: `Bearer ${target.token}` } : {};
  const ask = async <Answer>(options: Dispatcher.RequestOptions): Promise<Answer> => {
    const headers = { ...authorization, ...(options.headers as Record<string, string> | undefined) };
    const { statusCode, body } = await request(client, target, { ...options, headers });
    if (statusCode >= 400) throw answeredError(statusCode, body);
    // The balancer of this package answers the types of this package (protocol/*.ts).
    return body as Answer;
  };
  return {
    name: targetName(target),
    get: (path) => ask({ method: 'GET', path }),
    send: (method, path, { body, why = '' } = {}) =>
      ask({
        method,
        path,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(why === '' ? {} : { 'herald-why': why }),
        },
        body: body === undefined ? null : JSON.stringify(body),
      }),
    async stream(path, { headers, signal }) {
      const all = { ...authorization, ...headers, accept: 'text/event-stream' };
      // Heartbeats come every 15 s: twice as long and a bit without any means that nobody is there.
      const options = { method: 'GET' as const, path, headers: all, signal, bodyTimeout: 40_000 };
      const { statusCode, body } = await open(client, target, options);
      if (statusCode >= 400) throw answeredError(statusCode, await body.json().catch(() => undefined));
      return body;
    },
    close: () => client.destroy(),
  };
}

function connect(target: AdminTarget, timeoutMs: number): Client {
  const limits = { headersTimeout: timeoutMs, bodyTimeout: timeoutMs };
  if (target.kind === 'url')
    return new Client(target.origin, { ...limits, connect: { timeout: timeoutMs, ...target.tls } });
  const { socketPath } = target;
  return new Client('http://localhost', { ...limits, socketPath, connect: { timeout: timeoutMs } });
}

async function open(
  client: Client,
  target: AdminTarget,
  options: Dispatcher.RequestOptions,
): Promise<Dispatcher.ResponseData> {
  try {
    return await client.request(options);
  } catch (cause) {
    throw unreachable(target, cause);
  }
}

async function request(
  client: Client,
  target: AdminTarget,
  options: Dispatcher.RequestOptions,
): Promise<{ statusCode: number; body: unknown }> {
  const { statusCode, body } = await open(client, target, options);
  const text = await body.text().catch((cause: unknown) => {
    throw unreachable(target, cause);
  });
  try {
    return { statusCode, body: text === '' ? undefined : JSON.parse(text) };
  } catch (cause) {
    const message = `${targetName(target)} answers ${statusCode} without JSON: is that the admin API of a balancer?`;
    throw new HeraldError('HERALD_UNREACHABLE', message, {}, { cause });
  }
}

function unreachable(target: AdminTarget, cause: unknown): HeraldError {
  const why = target.kind === 'socket' ? whySocket(target.socketPath, cause) : whyUrl(target, cause);
  return new HeraldError('HERALD_UNREACHABLE', why, { target: targetName(target) }, { cause });
}

function whySocket(socketPath: string, cause: unknown): string {
  const code = codeOf(cause);
  const hint = 'start it with `herald serve`, or name its socket with --socket or HERALD_SOCKET';
  if (!existsSync(socketPath))
    return `no balancer listens at ${socketPath}: there is no such socket; ${hint}`;
  if (code === 'EACCES')
    return `${socketPath} may not be opened by this user (EACCES); use the balancer's user`;
  return `the balancer at ${socketPath} does not answer (${code}); ${hint}`;
}

function whyUrl({ origin, tls }: AdminTarget & { kind: 'url' }, cause: unknown): string {
  const code = codeOf(cause);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `${origin} shows a certificate for other names (${code}); use one of those in --url`;
  if (code === 'CERT_HAS_EXPIRED')
    return `${origin} shows a certificate that has expired (${code}); renew it`;
  if (/^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_|ERR_TLS_CERT)/.test(code)) {
    const hint =
      tls.ca === undefined ? 'name who signed it with --ca FILE' : 'the file of --ca does not vouch for it';
    return `${origin} shows a certificate that is not trusted (${code}); ${hint}`;
  }
  if (/CERTIFICATE_REQUIRED|HANDSHAKE_FAILURE|BAD_CERTIFICATE/.test(code) && tls.cert === undefined)
    return `${origin} wants a certificate (${code}); show one with --cert FILE and --key FILE`;
  if (code.startsWith('ERR_SSL') || code === 'EPROTO')
    return `${origin} does not speak TLS as expected (${code}); check https or http in --url`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return `${origin}: this name has no address (${code}); check --url or HERALD_URL`;
  return `no balancer answers at ${origin} (${code}); check --url or HERALD_URL, and \`admin.bind\` in its herald.yaml`;
}

function codeOf(cause: unknown): string {
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return cause instanceof Error ? cause.message : String(cause);
}

function answeredError(statusCode: number, body: unknown): HeraldError {
  const problem = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const code = String(problem['code'] ?? '');
  const detail = String(problem['detail'] ?? problem['title'] ?? `the balancer answered ${statusCode}`);
  return new HeraldError(isErrorCode(code) ? code : 'HERALD_INTERNAL', detail, problem);
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}
