// Makes the application sources of a sidecar and what they share: one poller a page, one socket for StatsD.
import type { Clock } from '../../core/clock.ts';
import { HeraldError } from '../../core/error.ts';
import type { AgentConfig } from '../../policy/agent-config.ts';
import { FileSource } from './file-source.ts';
import { HttpPoller } from './http-poller.ts';
import { acceptOf, createHttpSource, type HttpSourceConfig, isHttpSource } from './http-source.ts';
import type { Source } from './source.ts';
import { type StatsdCounts, StatsdServer } from './statsd-server.ts';

/** What the sources are made of. */
export interface SourcesParts extends Pick<AgentConfig, 'intervalMs' | 'sources' | 'statsdBind'> {
  readonly clock: Clock;
}

/** What the sources have done since the start, for the log. */
export interface SourcesStats {
  /** Requests and looks at files. */
  readonly asked: number;
  /** Those that brought no content. */
  readonly failed: number;
  /** Undefined when no signal comes by StatsD. */
  readonly statsd: StatsdCounts | undefined;
}

/** All application sources of one sidecar. */
export interface Sources {
  /**
   * Opens the socket for StatsD and gives the sources by signal, none of them started. Called once. Rejects with
   * HERALD_LISTEN_FAILED when the socket is not to be had.
   */
  open(): Promise<readonly (readonly [signal: string, source: Source])[]>;
  readonly stats: SourcesStats;
  /** `host:port` where StatsD datagrams are taken; undefined when they are not. */
  readonly statsdAddress: string | undefined;
  /** Stops every source and closes what they share. Idempotent. */
  stop(): Promise<void>;
}

/** Makes the sources; nothing is opened or asked yet. Throws HERALD_CONFIG_INVALID for what a schema lets through. */
export function createSources({ clock, intervalMs, sources, statsdBind }: SourcesParts): Sources {
  const pollers = new Map<string, HttpPoller>();
  const files: FileSource[] = [];
  const server = statsdBind === undefined ? undefined : new StatsdServer({ clock, bind: statsdBind });

  function pollerFor({ kind, url, http }: HttpSourceConfig): HttpPoller {
    const accept = acceptOf[kind];
    const key = JSON.stringify([url.href, http.authorization, http.timeoutMs, http.maxBodyBytes, accept]);
    const poller = pollers.get(key) ?? new HttpPoller({ clock, intervalMs, url, limits: http, accept });
    pollers.set(key, poller);
    return poller;
  }

  function sourceOf({ signal, source: config }: AgentConfig['sources'][number]): Source {
    if (isHttpSource(config)) return createHttpSource({ config, poller: pollerFor(config), intervalMs });
    if (config.kind === 'file') {
      const file = new FileSource({ config, clock, intervalMs });
      files.push(file);
      return file;
    }
    if (server !== undefined) return server.source(config);
    throw new HeraldError('HERALD_CONFIG_INVALID', `${signal} comes by statsd, but no address to listen on`);
  }

  const made = sources.map((each) => [each.signal, sourceOf(each)] as const);
  return {
    async open() {
      await server?.open();
      return made;
    },
    get stats() {
      const counts = [...pollers.values(), ...files].map((each) => each.counts);
      return {
        asked: counts.reduce((sum, { asked }) => sum + asked, 0),
        failed: counts.reduce((sum, { failed }) => sum + failed, 0),
        statsd: server?.counts,
      };
    },
    get statsdAddress() {
      return server?.address;
    },
    async stop() {
      await Promise.all(made.map(([, source]) => source.stop()));
      await server?.close();
    },
  };
}
