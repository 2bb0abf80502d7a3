// Where the configuration of an agent is.
import { HeraldError } from '../core/error.ts';
import type { Environment } from '../policy/environment.ts';

const defaultPaths = ['./agent.yaml', '/etc/herald/agent.yaml'];

const howToMakeOne = `Make one:
  apiVersion: herald/v1
  kind: Agent
  balancers: [http://127.0.0.1:9401]
  pool: app
  node: { port: 8081 }
  measure: { process: { port: 8081 } }`;

/**
 * The file to use: `flag`, `$HERALD_AGENT_CONFIG`, ./agent.yaml, /etc/herald/agent.yaml; the first that is named or
 * exists. Throws HERALD_CONFIG_UNREADABLE when it does not exist, or when there is none.
 */
export function findAgentConfigPath(
  flag: string | undefined,
  environment: Environment,
  exists: (path: string) => boolean,
): string {
  const named = [
    { origin: '--config', path: flag },
    { origin: 'HERALD_AGENT_CONFIG', path: environment['HERALD_AGENT_CONFIG'] },
  ];
  for (const { origin, path } of named) {
    if (path === undefined || path === '') continue;
    if (exists(path)) return path;
    const message = `${path}: does not exist (named by ${origin})`;
    throw new HeraldError('HERALD_CONFIG_UNREADABLE', message, { path });
  }
  const found = defaultPaths.find(exists);
  if (found !== undefined) return found;
  const message = `no configuration: neither ${defaultPaths.join(' nor ')} exists, and neither --config nor HERALD_AGENT_CONFIG names another. ${howToMakeOne}`;
  throw new HeraldError('HERALD_CONFIG_UNREADABLE', message, { paths: defaultPaths });
}
