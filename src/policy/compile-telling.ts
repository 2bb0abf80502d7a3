// From what the schema has read of `accessLog` and `forwarding` to what listeners run on.
import type { ConfigDocument } from './config-schema.ts';
import type { AccessLogConfig, Config } from './config.ts';

/** `accessLog`; undefined for none. */
export function compileAccessLog(
  accessLog: ConfigDocument['accessLog'],
  resolvePath: (path: string) => string,
): AccessLogConfig | undefined {
  if (accessLog === undefined) return undefined;
  const { to, sample, pools = 'all', query } = accessLog;
  const file = to === 'stdout' ? undefined : resolvePath(to);
  return { file, sampledPart: sample, pools, withQuery: query };
}

/** `forwarding`. */
export function compileForwarding({
  requestId,
  trace,
  sampled,
}: ConfigDocument['forwarding']): Config['forwarding'] {
  return { givesRequestId: requestId, trace, sampledPart: sampled ?? 0 };
}
