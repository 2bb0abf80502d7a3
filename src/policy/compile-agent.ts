// From a sound agent.yaml to an AgentConfig. It loads no schema: a sidecar that runs needs none.
import type { AgentConfig, HttpSourceLimits, MeasuredScope, SourceConfig } from './agent-config.ts';
import type { AgentDocument } from './agent-schema.ts';
import { deepFreeze } from './deep-freeze.ts';

/** What an agent.yaml takes from outside its file. */
export interface AgentSurroundings {
  /** Makes a path of the file absolute. */
  resolvePath(path: string): string;
  /** Secrets by their file as written; complete. */
  readonly secrets: ReadonlyMap<string, string>;
}

/** A file with one number. */
const maxNumberBytes = 4096;

/** By which the default policy sees a node as full. */
const defaultSaturation = { cpu: 0.8 };

type SignalDocument = AgentDocument['signals'][string];

/** Compiles a sound document. Frozen. */
export function compileAgent(document: AgentDocument, surroundings: AgentSurroundings): AgentConfig {
  const { node, agentCheck, log } = document;
  const port = node.port ?? node.address?.port;
  const sources = Object.entries(document.signals).map(([signal, written]) => ({
    signal,
    source: compileSource(signal, written, { sources: document.sources, surroundings }),
  }));
  return deepFreeze({
    balancers: document.balancers.map((url) => new URL(url)),
    token: secretOf(document.tokenFile, surroundings),
    pool: document.pool,
    node: {
      id: node.id,
      address: node.address,
      port: node.port,
      capacity: node.capacity,
      zone: node.zone,
      version: node.version,
    },
    intervalMs: document.interval,
    measure: compileScope(document.measure, surroundings),
    connectionPorts: document.connections.ports ?? (port === undefined ? [] : [port]),
    sources,
    statsdBind: sources.some(({ source }) => source.kind === 'statsd') ? document.statsd.bind : undefined,
    agentCheck: agentCheck && {
      bind: agentCheck.bind,
      saturation: compileSaturation(agentCheck.saturation ?? defaultSaturation),
    },
    log: { level: log.level, format: log.format },
  });
}

function compileScope(
  { scope, cgroup, process: named, cpus }: AgentDocument['measure'],
  { resolvePath }: AgentSurroundings,
): MeasuredScope {
  if (named !== undefined) {
    const pidFile = named.pidFile === undefined ? undefined : resolvePath(named.pidFile);
    return { kind: 'process', pidFile, port: named.port, cpus };
  }
  if (scope === 'host') return { kind: 'host', cpus };
  return { kind: 'cgroup', path: cgroup, cpus };
}

function compileSource(
  signal: string,
  { json, prometheus, file, statsd, as, scale }: SignalDocument,
  { sources, surroundings }: { sources: AgentDocument['sources']; surroundings: AgentSurroundings },
): SourceConfig {
  const rule = { as, scale };
  const http = (authorizationFile: string | undefined): HttpSourceLimits => ({
    authorization: secretOf(authorizationFile, surroundings),
    timeoutMs: sources.timeout,
    maxBodyBytes: sources.maxBody,
  });
  if (json !== undefined) {
    const { url, path, authorizationFile } = json;
    return { ...rule, kind: 'json', url: new URL(url), http: http(authorizationFile), path };
  }
  if (prometheus !== undefined) {
    const { url, selector, combine, authorizationFile } = prometheus;
    const limits = http(authorizationFile);
    return { ...rule, kind: 'prometheus', url: new URL(url), http: limits, selector, combine };
  }
  if (file !== undefined) {
    const { path, maxAge = Infinity } = file;
    const { resolvePath } = surroundings;
    return { ...rule, kind: 'file', path: resolvePath(path), maxBytes: maxNumberBytes, maxAgeMs: maxAge };
  }
  // The schema demands one of the four.
  return { ...rule, kind: 'statsd', name: statsd?.name ?? signal, maxAgeMs: statsd?.maxAge ?? Infinity };
}

function compileSaturation(
  saturation: Readonly<Record<string, number | undefined>>,
): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(saturation).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

function secretOf(file: string | undefined, { secrets }: AgentSurroundings): string | undefined {
  return file === undefined ? undefined : secrets.get(file);
}
