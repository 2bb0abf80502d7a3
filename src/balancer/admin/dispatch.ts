// The way of every admin request: who asks, how often, may they, what do they send, and then the route's handler.
import type { z } from 'zod';
import { HeraldError } from '../../core/error.ts';
import type { HttpContext } from '../../platform/http-app.ts';
import { isRecord } from '../../protocol/field-checks.ts';
import type { Registry } from '../state/registry.ts';
import type { Answer } from './answer.ts';
import type { RouteSpec } from './api/route-spec.ts';
import type { Audit, Change } from './audit.ts';
import { refuseRole, type Caller, type Identify } from './caller.ts';
import type { AnswerOnce } from './idempotency.ts';
import { readBody, readQuery, readWhy } from './read-request.ts';
import type { TakeRequest } from './request-rate.ts';
import { scopedView, type ScopedView } from './scoped-view.ts';

type OutputOf<Schema> = Schema extends z.ZodType ? z.output<Schema> : undefined;

/** A request on its way to its handler: allowed by role, its query and body read. Scope is in `view`. */
export interface Call<Spec extends RouteSpec> {
  readonly context: HttpContext;
  readonly caller: Caller;
  /** The only way to pools and nodes. */
  readonly view: ScopedView;
  readonly query: OutputOf<Spec['query']>;
  readonly body: OutputOf<Spec['body']>;
  /** Why, from the body or from Herald-Why; '' for no reason given. */
  readonly why: string;
}

/** Answers a call. Throws HeraldError. */
export type Handler<Spec extends RouteSpec> = (call: Call<Spec>) => Answer | Promise<Answer>;

/** What all routes share. */
export interface DispatchDeps {
  readonly registry: Registry;
  readonly audit: Audit;
  readonly answerOnce: AnswerOnce;
  readonly takeRequest: TakeRequest;
  /** Resolves when a change may be made; while the state is on its way to another process it waits. */
  readonly passGate: () => Promise<void> | undefined;
}

const maxShownPath = 200;

/** Serves one route to the callers that `identify` knows. */
export function serveRoute<Spec extends RouteSpec>(
  { id, spec, handler }: { id: string; spec: Spec; handler: Handler<Spec> },
  deps: DispatchDeps,
  identify: Identify,
): (context: HttpContext) => Promise<Response> {
  return async (context) => {
    const caller = spec.role === 'open' ? nobody : identify(context.req.header('authorization'));
    if (spec.role !== 'open') deps.takeRequest(caller.by);
    const view = scopedView(deps.registry, caller);
    const run = async () => {
      // Who asks for the takeover is who made the others wait.
      if (spec.role === 'operate' && id !== 'takeOver') await deps.passGate();
      return answer(context, { spec, handler, caller, view }, deps);
    };
    if (spec.role !== 'operate') return sent(await run());
    // Before it runs: a node that is removed is not there any more afterwards.
    const change = changeOf(context, { id, caller, view });
    return sent(await audited(run, change, deps.audit));
  };
}

/** Who asks where anybody may. */
const nobody: Caller = { by: '', role: 'report', pools: [] };

interface Asked<Spec extends RouteSpec> {
  readonly spec: Spec;
  readonly handler: Handler<Spec>;
  readonly caller: Caller;
  readonly view: ScopedView;
}

/** An answer with what only the handler's way knows: the reason, and whether it was given before. */
interface Given {
  readonly answer: Answer;
  readonly why: string;
  readonly isReplay: boolean;
}

async function answer<Spec extends RouteSpec>(
  context: HttpContext,
  { spec, handler, caller, view }: Asked<Spec>,
  { answerOnce }: DispatchDeps,
): Promise<Given> {
  refuseRole(caller, spec.role);
  const query = readQuery(context, spec);
  const headerWhy = readWhy(context);
  const body = await readBody(context, spec);
  const bodyWhy = isRecord(body) && spec.method !== 'GET' && isReason(body['why'], spec) ? body['why'] : '';
  const why = bodyWhy === '' ? headerWhy : bodyWhy;
  // Proof of the casts: both were read by this route's own schemas.
  const typed = { query: query as OutputOf<Spec['query']>, body: body as OutputOf<Spec['body']> };
  const run = async () => handler({ context, caller, view, why, ...typed });
  const key = context.req.header('idempotency-key');
  if (key === undefined || spec.headers?.['Idempotency-Key'] === undefined)
    return { answer: await run(), why, isReplay: false };
  const scope = `${caller.by} ${spec.method} ${context.req.path}`;
  const given = await answerOnce({ key, scope, body: JSON.stringify(body) }, run);
  return { answer: given, why, isReplay: given.headers?.['Idempotency-Replayed'] === 'true' };
}

/** A policy is a document of its own: what its keys are called means nothing here. */
function isReason(value: unknown, { body }: RouteSpec): value is string {
  return typeof value === 'string' && body !== undefined && 'shape' in body;
}

async function audited(run: () => Promise<Given>, change: Change, audit: Audit): Promise<Given> {
  try {
    const given = await run();
    const { answer, why, isReplay } = given;
    if (answer.isDryRun !== true && !isReplay) audit.done({ ...change, why }, answer.status);
    return given;
  } catch (error) {
    if (error instanceof HeraldError) audit.refused(change, error);
    throw error;
  }
}

function changeOf(
  context: HttpContext,
  { id, caller, view }: { id: string; caller: Caller; view: ScopedView },
): Change {
  const { req } = context;
  const path = req.path.length > maxShownPath ? `${req.path.slice(0, maxShownPath)}…` : req.path;
  const node = req.path.startsWith('/v1/nodes/') ? (req.param('id') ?? '') : '';
  const pools = view.pools();
  const ofNode = node === '' ? undefined : pools.find(({ nodes }) => nodes.has(node));
  const ofPool = pools.find(({ name }) => name === req.param('pool'));
  return {
    by: caller.by,
    why: shortWhy(req.header('herald-why')),
    route: id,
    method: req.method,
    path,
    pool: (ofNode ?? ofPool)?.name ?? '',
    node: ofNode === undefined ? '' : node,
  };
}

/** The reason as far as it is known before the request is read: for the event of a refusal. */
function shortWhy(header: string | undefined): string {
  return header !== undefined && /^[\x20-\x7e]{0,200}$/.test(header) ? header : '';
}

function sent({ answer }: Given): Response {
  const { status, json, headers, stream } = answer;
  if (stream !== undefined) return stream;
  if (json === undefined) return new Response(null, { status, ...(headers && { headers: { ...headers } }) });
  const type = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  return new Response(JSON.stringify(json), { status, headers: { ...type, ...headers } });
}
