// Who may report, and for which pools: tokens, and loopback without one.
import { HeraldError } from '../../core/error.ts';
import { createTokenFinder } from '../../platform/http-token.ts';
import { isLoopback } from '../../policy/cidr.ts';

/** A bearer token of the configuration. */
export interface IntakeToken {
  readonly name: string;
  /** Only `report` may report: a token that reads or operates does not speak for nodes. */
  readonly role: 'report' | 'read' | 'operate';
  readonly pools: 'all' | readonly string[];
  /** Never logged, never answered. */
  readonly secret: string;
}

/** How reporters prove who they are. */
export interface ReporterRule {
  readonly tokens: readonly IntakeToken[];
  /** True: loopback needs a token, too, for machines that others share. */
  readonly loopbackNeedsToken: boolean;
}

/** Somebody who may report. */
export interface Reporter {
  /** Token name, or source address without one. */
  readonly identity: string;
  readonly pools: 'all' | readonly string[];
}

/** Finds out who reports. Throws HERALD_TOKEN_INVALID, or HERALD_REPORT_NOT_ALLOWED for another role. */
export type FindReporter = (authorization: string | undefined, sourceHost: string) => Reporter;

export function createReporters({ tokens, loopbackNeedsToken }: ReporterRule): FindReporter {
  const findToken = createTokenFinder(tokens);
  return (authorization, sourceHost) => {
    if (authorization === undefined) return withoutToken(sourceHost, loopbackNeedsToken);
    const found = findToken(authorization);
    if (found === undefined) throw new HeraldError('HERALD_TOKEN_INVALID', 'this token is not known here');
    if (found.role !== 'report')
      throw notAllowed(`token '${found.name}' has the role '${found.role}': only 'report' may report`);
    return { identity: found.name, pools: found.pools };
  };
}

function withoutToken(sourceHost: string, loopbackNeedsToken: boolean): Reporter {
  if (isLoopback(sourceHost) && !loopbackNeedsToken) return { identity: sourceHost, pools: 'all' };
  throw new HeraldError('HERALD_TOKEN_INVALID', `reports from ${sourceHost} need a token of intake.tokens`);
}

/** Throws HERALD_REPORT_NOT_ALLOWED when the reporter's token is not good for the pool. */
export function refuseForeignPool({ identity, pools }: Reporter, pool: string): void {
  if (pools === 'all' || pools.includes(pool)) return;
  throw notAllowed(`token '${identity}' is not good for pool '${pool}', only for: ${pools.join(', ')}`);
}

function notAllowed(message: string): HeraldError {
  return new HeraldError('HERALD_REPORT_NOT_ALLOWED', message);
}
