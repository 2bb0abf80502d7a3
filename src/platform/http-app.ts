// What intake and admin share in answering: routes, refusals, and errors as problems, each in one place.
import type { HttpBindings } from '@hono/node-server';
import { Hono, type Context } from 'hono';
import { HeraldError } from '../core/error.ts';
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
  /** Host names (without port, lower case) that clients may call this listener by; undefined: any. */
  readonly hosts: readonly string[] | undefined;
  /** Hears of errors that should not happen; the client only hears HERALD_INTERNAL. */
  readonly onInternalError: (error: unknown) => void;
}): HttpApp {
  const app: HttpApp = new Hono<Env>();
  app.use(async (context, next) => {
    refuseForeign(context, deps.hosts);
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
  app.notFound(({ req }) =>
    answerProblem(new HeraldError('HERALD_NOT_FOUND', `there is nothing at ${req.path}`)),
  );
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
  const { allow } = error.details;
  if (error.code === 'HERALD_METHOD_NOT_ALLOWED' && Array.isArray(allow)) headers['Allow'] = allow.join(', ');
  if (error.code === 'HERALD_TOKEN_INVALID') headers['WWW-Authenticate'] = 'Bearer realm="herald"';
  return new Response(JSON.stringify(problemOf(error)), { status: error.status, headers });
}

/**
 * Web pages can reach loopback: they send an Origin, or, after rebinding a name of theirs, a foreign Host.
 * No client of these listeners is a web page.
 */
function refuseForeign({ req }: HttpContext, hosts: readonly string[] | undefined): void {
  const origin = req.header('origin');
  if (origin !== undefined)
    throw new HeraldError('HERALD_ORIGIN_REFUSED', 'requests with an Origin are not answered here');
  if (hosts === undefined) return;
  const host = (req.header('host') ?? '').replace(/:\d+$/, '').toLowerCase();
  if (hosts.includes(host)) return;
  throw new HeraldError(
    'HERALD_ORIGIN_REFUSED',
    `Host '${host}' is not answered here; allowed: ${hosts.join(', ')}`,
  );
}
