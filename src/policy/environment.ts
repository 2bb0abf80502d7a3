// Environment variables that override keys of herald.yaml and agent.yaml. They pass through the same schema as the file does.
import { nearest } from '../core/nearest.ts';
import { formatPath, type Path } from './problem.ts';
import { isMapping } from './read-document.ts';
import type { Source } from './yaml-document.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const overrides: Readonly<Record<string, Path>> = {
  HERALD_LOG_LEVEL: ['log', 'level'],
  HERALD_INTAKE_BIND: ['intake', 'bind'],
  HERALD_ADMIN_SOCKET: ['admin', 'socket'],
  HERALD_RELAY_FORM: ['relay', 'form'],
  HERALD_STATE_PEER: ['state', 'peer'],
  HERALD_STATE_URL: ['state', 'url'],
  HERALD_STATE_USERNAME: ['state', 'username'],
  HERALD_STATE_PASSWORD: ['state', 'password'],
  HERALD_STATE_PASSWORD_FILE: ['state', 'passwordFile'],
  HERALD_WORKERS: ['workers'],
};

const agentOverrides: Readonly<Record<string, Path>> = {
  HERALD_BALANCERS: ['balancers'],
  HERALD_TOKEN_FILE: ['tokenFile'],
  HERALD_POOL: ['pool'],
  HERALD_NODE_ID: ['node', 'id'],
  HERALD_NODE_ADDRESS: ['node', 'address'],
  HERALD_NODE_PORT: ['node', 'port'],
  HERALD_NODE_CAPACITY: ['node', 'capacity'],
  HERALD_NODE_ZONE: ['node', 'zone'],
  HERALD_NODE_VERSION: ['node', 'version'],
  HERALD_AGENT_CHECK_BIND: ['agentCheck', 'bind'],
  HERALD_LOG_LEVEL: ['log', 'level'],
};

// What the variables hold that are no text.
const readers: Readonly<Record<string, (text: string) => unknown>> = {
  HERALD_BALANCERS: (text) => text.split(',').map((url) => url.trim()),
  HERALD_WORKERS: (text) => (text === 'auto' ? text : numberOf(text)),
  HERALD_NODE_PORT: numberOf,
  HERALD_NODE_CAPACITY: numberOf,
};

// Read elsewhere: by the commands, by agents, by the tests; or set for the commands of drivers, which may run Herald.
const elsewhere =
  /^HERALD_(CONFIG|AGENT_CONFIG|SOCKET|TEST_.*|SCALE_[A-Z]+|BALANCERS|TOKEN_FILE|POOL|NODE_[A-Z]+|AGENT_CHECK_BIND)$/;
const elsewhereOfAgents =
  /^HERALD_(CONFIG|AGENT_CONFIG|SOCKET|TEST_.*|SCALE_[A-Z]+|INTAKE_BIND|ADMIN_SOCKET|RELAY_FORM|WORKERS|LISTENERS_.*|STATE_(PEER|URL|USERNAME|PASSWORD|PASSWORD_FILE))$/;

/** A source with the overrides in it, and a warning for each variable that means nothing. */
export interface Overridden {
  readonly source: Source;
  readonly warnings: readonly string[];
}

/** Puts `HERALD_*` over the data of a config. Empty variables count as unset. A problem then names the variable. */
export function overrideFromEnvironment(source: Source, environment: Environment): Overridden {
  const known = { ...overrides, ...listenerOverrides(source.data) };
  return override(source, environment, { known, elsewhere });
}

/** The same for agent.yaml. */
export function overrideAgentFromEnvironment(source: Source, environment: Environment): Overridden {
  return override(source, environment, { known: agentOverrides, elsewhere: elsewhereOfAgents });
}

function override(
  source: Source,
  environment: Environment,
  { known, elsewhere }: { known: Readonly<Record<string, Path>>; elsewhere: RegExp },
): Overridden {
  const warnings: string[] = [];
  const origins = new Map<string, string>();
  let data = source.data;
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('HERALD_') || elsewhere.test(variable) || value === undefined || value === '')
      continue;
    const path = Object.hasOwn(known, variable) ? known[variable] : undefined;
    if (path === undefined) {
      const near = nearest(variable, Object.keys(known));
      warnings.push(
        `${variable} means nothing to Herald${near === undefined ? '' : ` (did you mean ${near}?)`}`,
      );
      continue;
    }
    data = withValue(data, path, readers[variable]?.(value) ?? value);
    origins.set(formatPath(path), variable);
  }
  const locate: Source['locate'] = (path, part) => {
    const variable = origins.get(formatPath(path)) ?? origins.get(formatPath(path.slice(0, 1)));
    return variable === undefined ? source.locate(path, part) : { file: variable, line: 0, column: 0 };
  };
  return { source: { file: source.file, data, locate }, warnings };
}

function numberOf(text: string): unknown {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

/** `HERALD_LISTENERS_<NAME>_BIND`: the name in capitals, everything but letters and digits as `_`. */
function listenerOverrides(data: unknown): Record<string, Path> {
  const listeners: unknown = isMapping(data) ? data['listeners'] : undefined;
  if (!Array.isArray(listeners)) return {};
  const entries = listeners.map((listener: unknown, index): [string, Path] => {
    const written = isMapping(listener) ? listener['name'] : undefined;
    const name = typeof written === 'string' ? written : 'public';
    return [
      `HERALD_LISTENERS_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}_BIND`,
      ['listeners', index, 'bind'],
    ];
  });
  return Object.fromEntries(entries);
}

/** A copy with `value` at `path`; what is in the way but no mapping or list stays, for the schema to complain about. */
function withValue(data: unknown, path: Path, value: unknown): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  if (Array.isArray(data))
    return data.map((item: unknown, index) => (index === head ? withValue(item, rest, value) : item));
  if (data !== undefined && !isMapping(data)) return data;
  return { ...data, [head]: withValue(data?.[head], rest, value) };
}
