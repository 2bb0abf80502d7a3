// A node drains itself: what a dying process or its preStop hook asks for, and nobody else's node. Why it is here and
// not on the admin listener, and why a GET may do it, is in docs/decisions/0018-admin-api.md.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import { nearest } from '../../core/nearest.ts';
import type { HttpContext, HttpRoutes } from '../../platform/http-app.ts';
import { plainAddress } from '../../policy/address.ts';
import { isLoopback, parseIp } from '../../policy/cidr.ts';
import type { AdminStateAnswer } from '../../protocol/operations.ts';
import type { Control } from '../control/ports.ts';
import type { NodeRecord } from '../state/node-record.ts';
import type { Registry } from '../state/registry.ts';
import type { FindReporter, Reporter } from './reporters.ts';

/** What a self-drain needs. */
export interface SelfDrainDeps {
  readonly registry: Registry;
  readonly clock: Clock;
  /** Undefined: answers HERALD_NOT_AVAILABLE. */
  readonly control: Control | undefined;
  readonly findReporter: FindReporter;
  /** Resolves when a change may be made: while the state is on its way to another process it waits. */
  readonly passGate?: (() => Promise<void> | undefined) | undefined;
  /** Hears of every self-drain that was begun, for the audit event. */
  readonly onSelfDrain: (drained: {
    readonly by: string;
    readonly pool: string;
    readonly node: string;
  }) => void;
}

interface Owned {
  readonly pool: string;
  readonly node: NodeRecord;
}

interface Wish {
  readonly node: string | undefined;
  readonly wait: boolean;
  readonly deadlineMs: number | undefined;
}

// Longer than any grace period that an orchestrator gives; what is not drained by then is answered as it stands.
const maxWaitMs = 3_600_000;
const lookEveryMs = 250;
const maxWaiting = 1024;
const keys = ['node', 'wait', 'deadlineMs'];

/** The route; GET and POST do the same. */
export function selfDrainRoutes(deps: SelfDrainDeps): HttpRoutes {
  let waiting = 0;
  const handle = async (context: HttpContext): Promise<Response> => {
    refuseWrongKind(context);
    const sourceHost = plainAddress(context.env.incoming.socket.remoteAddress ?? '');
    const reporter = deps.findReporter(context.req.header('authorization'), sourceHost);
    const wish = readWish(context);
    const owned = ownNode(deps.registry, { reporter, sourceHost, wanted: wish.node });
    if (wish.wait && waiting >= maxWaiting)
      throw new HeraldError('HERALD_TOO_MANY_STREAMS', `${waiting} drains are waited for`, {
        retryAfterMs: 1000,
      });
    await deps.passGate?.();
    const answer = begin(deps, owned, { reporter, wish });
    if (!wish.wait || answer.operation === null) return context.json(answer);
    waiting += 1;
    try {
      return context.json(await drained(deps, context, { answer, wish }));
    } finally {
      waiting -= 1;
    }
  };
  return { '/v1/self/drain': { GET: handle, POST: handle } };
}

/** HEAD comes with GET, but nobody who asks for a head means to drain; nor does an image of a web page. */
function refuseWrongKind({ req }: HttpContext): void {
  if (req.method === 'HEAD')
    throw new HeraldError('HERALD_METHOD_NOT_ALLOWED', 'HEAD does not drain', { allow: ['GET', 'POST'] });
  // Browsers send this with every request, and no page can leave it out; without an Origin it is all that tells them.
  if (req.header('sec-fetch-mode') !== undefined)
    throw new HeraldError('HERALD_ORIGIN_REFUSED', 'a browser cannot drain a node');
}

function readWish({ req }: HttpContext): Wish {
  const given = req.queries();
  for (const [key, texts] of Object.entries(given)) {
    if (keys.includes(key) && texts.length === 1) continue;
    const near = nearest(key, keys);
    const hint =
      near === undefined || near === key ? `known once each: ${keys.join(', ')}` : `did you mean ${near}?`;
    throw queryInvalid(`'${key.slice(0, 64)}' is not taken in this query (${hint})`);
  }
  const { node, wait, deadlineMs } = req.query();
  if (wait !== undefined && wait !== 'true' && wait !== 'false')
    throw queryInvalid("wait must be 'true' or 'false'");
  const deadline = deadlineMs === undefined ? undefined : Number(deadlineMs);
  if (deadline !== undefined && !(Number.isInteger(deadline) && deadline >= 1 && deadline <= maxWaitMs))
    throw queryInvalid(`deadlineMs must be a whole number from 1 to ${maxWaitMs}`);
  return { node, wait: wait === 'true', deadlineMs: deadline };
}

function queryInvalid(message: string): HeraldError {
  return new HeraldError('HERALD_QUERY_INVALID', message);
}

/** The one node that this reporter speaks for from there. HERALD_NODE_UNKNOWN for none, and for several without a name. */
function ownNode(
  registry: Registry,
  { reporter, sourceHost, wanted }: { reporter: Reporter; sourceHost: string; wanted: string | undefined },
): Owned {
  const own = [...registry.pools.values()]
    .filter(({ name }) => reporter.pools === 'all' || reporter.pools.includes(name))
    .flatMap((pool) => [...pool.nodes.values()].map((node) => ({ pool: pool.name, node })))
    .filter(({ node }) => speaksFor(node, { reporter, sourceHost, isNamed: wanted !== undefined }));
  const ids = own.map(({ node }) => node.identity.id);
  const named = wanted === undefined ? own : own.filter(({ node }) => node.identity.id === wanted);
  const [found] = named;
  if (found !== undefined && named.length === 1) return found;
  const from = `reporter '${reporter.identity}' at ${sourceHost}`;
  if (wanted === undefined && own.length > 1)
    throw queryInvalid(`${from} has ${own.length} nodes: say which with node=`);
  const hint = ids.length > 0 ? `; it has ${ids.slice(0, 5).join(', ')}` : '';
  const what = wanted === undefined ? 'no node' : `no node '${wanted.slice(0, 64)}'`;
  throw new HeraldError('HERALD_NODE_UNKNOWN', `${from} has ${what} here${hint}`);
}

/**
 * Who reports for a node, and from its own address. One token may serve a fleet, so it alone is not enough; a node that
 * the configuration knows by a host name cannot be compared, so there it is, with the node's id.
 */
function speaksFor(
  { identity, registeredBy, origin }: NodeRecord,
  { reporter, sourceHost, isNamed }: { reporter: Reporter; sourceHost: string; isNamed: boolean },
): boolean {
  const isReporter = registeredBy === reporter.identity || (registeredBy === '' && origin === 'static');
  if (!isReporter) return false;
  const host = plainAddress(identity.host);
  if (parseIp(host) === undefined) return isNamed && registeredBy !== '';
  return host === sourceHost || (isLoopback(host) && isLoopback(sourceHost));
}

function begin(
  { control, onSelfDrain }: SelfDrainDeps,
  { pool, node }: Owned,
  { reporter, wish }: { reporter: Reporter; wish: Wish },
): AdminStateAnswer {
  const { id } = node.identity;
  if (control === undefined)
    throw new HeraldError(
      'HERALD_NOT_AVAILABLE',
      `node '${id}' cannot drain itself: this balancer was started without its control loops`,
    );
  const request = { adminState: 'drain' as const, self: true, why: 'the node drains itself' };
  const deadline = wish.deadlineMs === undefined ? {} : { deadlineMs: wish.deadlineMs };
  const answer = control.setAdminState([id], { ...request, ...deadline }, { by: reporter.identity });
  onSelfDrain({ by: reporter.identity, pool, node: id });
  return answer;
}

/** The answer as it stands when the operation is over, when the wait is, or when nobody waits any more. */
function drained(
  { control, clock }: SelfDrainDeps,
  { env }: HttpContext,
  { answer, wish }: { answer: AdminStateAnswer; wish: Wish },
): Promise<AdminStateAnswer> {
  const untilMs = clock.nowMs() + (wish.deadlineMs ?? maxWaitMs);
  const now = (): AdminStateAnswer => {
    if (control === undefined || answer.operation === null) return answer;
    return { ...answer, operation: control.operation(answer.operation.id) };
  };
  return new Promise((resolve, reject) => {
    const look = () => {
      try {
        const seen = now();
        const isOver = seen.operation?.state !== 'running' || clock.nowMs() >= untilMs;
        if (isOver || env.outgoing.destroyed) settle(() => resolve(seen));
      } catch (error) {
        // The operation is forgotten: it was over long before.
        settle(() => reject(error instanceof Error ? error : new Error(String(error))));
      }
    };
    const timer = clock.repeat(lookEveryMs, look);
    const onClose = () => settle(() => resolve(answer));
    const settle = (finish: () => void) => {
      timer.cancel();
      env.outgoing.off('close', onClose);
      finish();
    };
    env.outgoing.on('close', onClose);
    look();
  });
}
