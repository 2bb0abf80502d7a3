// The intake listener: reports, probes and metrics. Who may report is reporters.ts.
import type { Clock } from '../../core/clock.ts';
import { HeraldError, type ErrorCode } from '../../core/error.ts';
import { createHttpApp, type HttpContext, type HttpRoutes } from '../../platform/http-app.ts';
import { readJson } from '../../platform/http-body.ts';
import {
  defaultHttpLimits,
  HttpServer,
  type HttpLimits,
  type TlsMaterial,
} from '../../platform/http-server.ts';
import type { ListenSlot } from '../../platform/listening-sockets.ts';
import { plainAddress } from '../../policy/address.ts';
import type { HealthAnswer } from '../../protocol/admin-api.ts';
import { maxReportBytes, type Report, type ReportAnswer, type ShedDirective } from '../../protocol/report.ts';
import type { Control } from '../control/ports.ts';
import type { Registry } from '../state/registry.ts';
import { readinessOf, type Phase } from './readiness.ts';
import { createReporters, refuseForeignPool, type FindReporter, type ReporterRule } from './reporters.ts';
import { selfDrainRoutes, type SelfDrainDeps } from './self-drain.ts';
import { nodeAddress } from './source-address.ts';

/** What the intake needs. */
export interface IntakeDeps {
  readonly bind: { readonly host: string; readonly port: number };
  /** Where its socket is kept for the next process; absent: nowhere. */
  readonly slot?: ListenSlot;
  readonly registry: Registry;
  readonly clock: Clock;
  /** Checks the parsed JSON of a report; throws HERALD_REPORT_INVALID. */
  readonly decode: (body: unknown) => Report;
  readonly reporters: ReporterRule;
  /** Whether a node that the configuration does not name may register at this address. */
  readonly mayRegister: (host: string, port: number) => boolean;
  /** What the application of this node is asked to shed; absent or undefined for nothing. Asked once a report. */
  readonly takeShed?: (pool: string, node: string) => ShedDirective | undefined;
  readonly phase: () => Phase;
  readonly scrape: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Hears the outcome of every report, refused ones too. */
  readonly onReport: (outcome: 'accepted' | ErrorCode) => void;
  readonly onInternalError: (error: unknown) => void;
  /** What a node that drains itself asks. */
  readonly control: Control | undefined;
  readonly onSelfDrain: SelfDrainDeps['onSelfDrain'];
  /** As `SelfDrainDeps`; absent: changes never wait. */
  readonly passGate?: SelfDrainDeps['passGate'];
  /** What else is served here; each route knows for itself who may ask. */
  readonly hooks?: HttpRoutes;
  /** Undefined: plain HTTP. */
  readonly tls?: TlsMaterial | undefined;
  readonly limits?: HttpLimits;
}

/** A listener with a lifetime. */
export interface Intake {
  /** Resolves with the bound port. Rejects with HERALD_LISTEN_FAILED. */
  start(): Promise<{ host: string; port: number }>;
  /** Ends in bounded time, keep-alive connections included. Idempotent. */
  stop(): Promise<void>;
  /** Stops accepting; who is being answered, one that waits for a drain among them, goes on. */
  retire(): void;
  /** New tokens and certificates count from the next request and connection on. */
  reconfigure(settings: { readonly reporters: ReporterRule; readonly tls: TlsMaterial | undefined }): void;
}

export function createIntake(deps: IntakeDeps): Intake {
  const { clock, bind, onInternalError, limits = defaultHttpLimits } = deps;
  let current = createReporters(deps.reporters);
  const routes = routesOf(deps, (authorization, sourceHost) => current(authorization, sourceHost));
  const app = createHttpApp({ routes, hosts: undefined, onInternalError });
  const server = new HttpServer({ app, clock, limits, tls: deps.tls, onError: onInternalError });
  return {
    stop: () => server.stop(),
    retire: () => server.retire(),
    reconfigure({ reporters, tls }) {
      current = createReporters(reporters);
      if (tls !== undefined) server.replaceTls(tls);
    },
    async start() {
      try {
        const address = await server.listen({ host: bind.host, port: bind.port }, deps.slot);
        return { host: bind.host, port: typeof address === 'object' ? (address?.port ?? 0) : 0 };
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const message = `the intake cannot listen on ${bind.host}:${bind.port}: ${why}`;
        throw new HeraldError('HERALD_LISTEN_FAILED', message, {}, { cause: error });
      }
    },
  };
}

function routesOf(deps: IntakeDeps, findReporter: FindReporter): HttpRoutes {
  const takeReport = createReportHandler(deps, findReporter);
  return {
    ...deps.hooks,
    ...selfDrainRoutes({ ...deps, findReporter }),
    '/healthz': { GET: (context) => context.json<HealthAnswer>({ status: 'alive' }) },
    '/readyz': {
      GET(context) {
        const answer = readinessOf(deps.registry.pools.values(), deps.phase(), deps.clock.nowMs());
        return context.json(answer, answer.ready ? 200 : 503);
      },
    },
    '/metrics': {
      async GET(context) {
        const { contentType, text } = await deps.scrape();
        return context.body(text, 200, { 'Content-Type': contentType });
      },
    },
    '/v1/reports': {
      async POST(context) {
        try {
          const answer = await takeReport(context);
          deps.onReport('accepted');
          return context.json(answer);
        } catch (error) {
          deps.onReport(error instanceof HeraldError ? error.code : 'HERALD_INTERNAL');
          throw error;
        }
      },
    },
  };
}

function createReportHandler(
  { registry, decode, mayRegister, takeShed }: IntakeDeps,
  findReporter: FindReporter,
): (context: HttpContext) => Promise<ReportAnswer> {
  return async (context) => {
    const sourceHost = plainAddress(context.env.incoming.socket.remoteAddress ?? '');
    // Before the body is read: who may not report costs a head, not 16 KiB and a parse.
    const reporter = findReporter(context.req.header('authorization'), sourceHost);
    const report = decode(
      await readJson(context, { maxBytes: maxReportBytes, invalid: 'HERALD_REPORT_INVALID' }),
    );
    refuseForeignPool(reporter, report.pool);
    const known = registry.pool(report.pool).nodes.get(report.node.id);
    const configured = known?.origin === 'static' ? known.identity : undefined;
    const address = nodeAddress(report, { sourceHost, configured });
    if (configured === undefined && !mayRegister(address.host, address.port))
      throw mayNotRegister(report, address);
    const adminState = registry.applyReport(report, { identity: reporter.identity, ...address });
    const shed = report.leaving ? undefined : takeShed?.(report.pool, report.node.id);
    return { directives: shed === undefined ? { adminState } : { adminState, shed } };
  };
}

function mayNotRegister({ node, pool }: Report, { host, port }: { host: string; port: number }): HeraldError {
  return new HeraldError(
    'HERALD_REPORT_NOT_ALLOWED',
    `node '${node.id}' may not register in pool '${pool}' at host ${host}, port ${port}: intake.register does not allow it`,
    { node: node.id, pool },
  );
}
