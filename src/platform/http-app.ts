// What intake and admin share in answering: routes, refusals, and errors as problems, each in one place.
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { HeraldError } from '../core/error.ts';
import { meantHint } from '../core/nearest.ts';
import { plainAddress } from '../policy/address.ts';
import { problemOf, problemType } from '../protocol/problem.ts';

interface Env {
  Bindings: HttpBindings;
}

/** A request on its way to an answer. */
export type HttpContext = Context<Env>;

/** Answers a request, or throws a HeraldError that becomes a problem. */
type HttpHandler = (context: HttpContext) => Response | Promise<Response>;

/** What an app answers: handlers by path (`/v1/pools/:pool`) and method. HEAD comes with GET. */
export type HttpRoutes = Readonly<
  Record<string, Readonly<Partial<Record<'GET' | 'POST' | 'PUT' | 'DELETE', HttpHandler>>>>
>;

/** The app of one listener. */
export type HttpApp = Hono<Env>;

/** Builds the app of one listener. */
export function createHttpApp(deps: {
  readonly routes: HttpRoutes;
  /**
   * Host names (without port, lower case) that clients may call this listener by, beside the address that the
   * connection came to; undefined: any.
   */
  readonly hosts: readonly string[] | undefined;
  /** `http` or `https`: a page that this very listener has sent may ask it. Undefined: no page may. */
  readonly ownOrigin?: 'http' | 'https' | undefined;
  /** Hears of errors that should not happen; the client only hears HERALD_INTERNAL. */
  readonly onInternalError: (error: unknown) => void;
}): HttpApp {
  const app: HttpApp = new Hono<Env>();
  app.use(async (context, next) => {
    refuseForeign(context, deps);
    await next();
  });
  for (const [path, handlers] of Object.entries(deps.routes)) {
    const methods = Object.keys(handlers);
    for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler);
    const allow = methods.includes('GET') ? ['HEAD', ...methods] : methods;
    app.all(path, ({ req }) => {
      throw new HeraldError(
        'HERALD_METHOD_NOT_ALLOWED',
        `${req.method} is not allowed at ${req.path}; allowed: ${allow.join(', ')}`,
        { allow },
      );
    });
  }
  // `{pool}` as the documentation writes it. A path of 16 KiB is not compared: the nearest must be of its length.
  const known = Object.keys(deps.routes).map((path) => path.replaceAll(/:(\w+)/g, '{$1}'));
  app.notFound(({ req }) => {
    const shown = req.path.length > 200 ? `${req.path.slice(0, 200)}…` : req.path;
    const message = `there is nothing at ${shown}${meantHint(req.path, known)}`;
    return answerProblem(new HeraldError('HERALD_NOT_FOUND', message));
  });
  app.onError((error) => {
    if (error instanceof HeraldError) return answerProblem(error);
    deps.onInternalError(error);
    return answerProblem(new HeraldError('HERALD_INTERNAL', 'internal error; the log has its origin'));
  });
  return app;
}

/** An error as an HTTP answer. */
export function answerProblem(error: HeraldError): Response {
  const headers: Record<string, string> = { 'Content-Type': problemType, 'Cache-Control': 'no-store' };
  const { allow, retryAfterMs } = error.details;
  if (error.code === 'HERALD_METHOD_NOT_ALLOWED' && Array.isArray(allow)) headers['Allow'] = allow.join(', ');
  if (error.code === 'HERALD_TOKEN_INVALID') headers['WWW-Authenticate'] = 'Bearer realm="herald"';
  if (typeof retryAfterMs === 'number') headers['Retry-After'] = String(Math.ceil(retryAfterMs / 1000));
  return new Response(JSON.stringify(problemOf(error)), { status: error.status, headers });
}

/**
 * Web pages can reach loopback: they send an Origin, or, after rebinding a name of theirs, a foreign Host. An
 * address cannot be rebound: the one that the connection came to is always ours.
 */
function refuseForeign(
  { req, env }: HttpContext,
  { hosts, ownOrigin }: { hosts: readonly string[] | undefined; ownOrigin?: 'http' | 'https' | undefined },
): void {
  const written = (req.header('host') ?? '').toLowerCase();
  const origin = req.header('origin');
  if (origin !== undefined && (ownOrigin === undefined || origin !== `${ownOrigin}://${written}`))
    throw new HeraldError('HERALD_ORIGIN_REFUSED', 'requests with an Origin are not answered here');
  if (hosts === undefined) return;
  const host = written.replace(/:\d+$/, '');
  if (hosts.includes(host) || host === literalOf(env.incoming.socket.localAddress)) return;
  throw new HeraldError(
    'HERALD_ORIGIN_REFUSED',
    `Host '${host.slice(0, 255)}' is not answered here; allowed: ${hosts.join(', ')}`,
  );
}

/** An address as a Host writes it; undefined for a UNIX socket. */
function literalOf(localAddress: string | undefined): string | undefined {
  if (localAddress === undefined) return undefined;
  const plain = plainAddress(localAddress);
  return plain.includes(':') ? `[${plain}]` : plain;
}
