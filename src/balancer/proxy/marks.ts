// By what a request is known again in logs and traces: its id and its trace context, kept or made.
import { valuesOf, type HeadFields } from '../../protocol/http-head.ts';
import { isRequestId, newRequestId } from '../../protocol/request-id.ts';
import { newTraceParent, readTrace } from '../../protocol/trace-context.ts';
import type { Client } from './client.ts';
import type { ProxyDeps } from './ports.ts';

/** The marks of one request. */
export interface Marks {
  /** '' where requests get no id: then what the client calls one passes as any other field. */
  readonly requestId: string;
  /** The fields of the trace in place of those that came; undefined: what came is sound, and passes. */
  readonly trace: HeadFields | undefined;
}

/** How requests are marked. */
export interface MarkRule {
  readonly givesRequestId: boolean;
  /** `make`: a request without a sound trace begins one. */
  readonly trace: 'keep' | 'make';
  /** Part of the traces begun here that are marked to be sampled, 0..1. */
  readonly sampledPart: number;
}

/** What a listener without a rule does. */
export const noMarks: MarkRule = { givesRequestId: false, trace: 'keep', sampledPart: 0 };

type MarkDeps = Pick<ProxyDeps, 'clock' | 'rng' | 'marks'>;

/** The marks of a request. Its id is believed from a trusted client only; its trace is the application's. */
export function marksOf(deps: MarkDeps, fields: HeadFields, client: Client): Marks {
  const rule = deps.marks?.() ?? noMarks;
  return {
    requestId: rule.givesRequestId ? requestIdOf(deps, fields, client) : '',
    trace: traceOf(deps.rng, fields, rule),
  };
}

function requestIdOf({ rng, clock }: MarkDeps, fields: HeadFields, { isTrusted }: Client): string {
  if (isTrusted) {
    const ids = valuesOf(fields, 'x-request-id');
    const [id = ''] = ids;
    if (ids.length === 1 && isRequestId(id)) return id;
  }
  return newRequestId(rng, clock.wallMs());
}

function traceOf(rng: MarkDeps['rng'], fields: HeadFields, rule: MarkRule): HeadFields | undefined {
  const { hasParent, isSound } = readTrace(fields);
  if (hasParent) return isSound ? undefined : ['traceparent', valuesOf(fields, 'traceparent')[0] ?? ''];
  if (rule.trace === 'make') return ['traceparent', newTraceParent(rng, rng.next() < rule.sampledPart)];
  return isSound ? undefined : [];
}

/** Whether `name` (lower case) is replaced by `marks`. */
export function isReplacedBy({ requestId, trace }: Marks, name: string): boolean {
  return isRequestIdField(requestId, name) || isTraceField(trace, name);
}

/** Whether `name` (lower case) of an answer is replaced by `marks`: clients hear of one id, and traces are the nodes'. */
export function isAnswered({ requestId }: Marks, name: string): boolean {
  return isRequestIdField(requestId, name);
}

// CGI and WSGI servers cannot tell an underscore from a hyphen.
function isRequestIdField(requestId: string, name: string): boolean {
  return requestId !== '' && name.replaceAll('_', '-') === 'x-request-id';
}

function isTraceField(trace: Marks['trace'], name: string): boolean {
  return trace !== undefined && (name === 'traceparent' || name === 'tracestate');
}

/** The fields that tell a client, or a node, the id of its request. */
export function requestIdFields({ requestId }: Marks): string[] {
  return requestId === '' ? [] : ['X-Request-Id', requestId];
}
