// Checks across the sections of agent.yaml.
import { customNameProblem } from '../protocol/report-fields.ts';
import { isBuiltinSignal } from '../core/signal.ts';
import { nameHint } from '../core/nearest.ts';
import { readHttpUrl } from './agent-fields.ts';
import type { AgentDocument } from './agent-schema.ts';
import { isLoopback, matchesAnyCidr, parseCidr, parseIp } from './cidr.ts';
import { formatPath, type Path, type Problem } from './problem.ts';
import { isMapping } from './read-document.ts';
import { problemAt } from './schema-problems.ts';
import type { Source } from './yaml-document.ts';

type Sections = Partial<AgentDocument>;

/** Signals that the sidecar measures itself, whatever the scope. */
export const measuredSignals = ['cpu', 'memory', 'cpuPressure', 'memoryPressure', 'ioPressure'] as const;

/** A report has room for 32 custom signals, of which the three pressures are the agent's. */
const maxCustomSources = 29;

/** Everything that is wrong between sections; sections that are missing or unsound are left out. */
export function checkAgent(source: Source, sections: Sections): Problem[] {
  return [
    ...checkBalancers(source, sections),
    ...checkNode(source, sections),
    ...checkSignalNames(source),
    ...checkSourceHosts(source, sections),
    ...checkAgentCheck(source, sections),
  ];
}

function checkBalancers(source: Source, { balancers }: Sections): Problem[] {
  if (balancers === undefined) return [];
  // As it is written: an unsound one has a problem of its own, which is enough.
  const hasCheck = isMapping(source.data) && source.data['agentCheck'] !== undefined;
  if (balancers.length === 0 && !hasCheck)
    return [
      problemAt(source, ['balancers'], 'nobody would hear this agent', 'name a balancer, or add agentCheck'),
    ];
  return balancers.flatMap((url, index) => {
    const first = balancers.indexOf(url);
    if (first === index) return [];
    return [
      problemAt(
        source,
        ['balancers', index],
        `is balancers[${first}] once more`,
        'each balancer gets every report',
      ),
    ];
  });
}

function checkNode(source: Source, { node }: Sections): Problem[] {
  if (node === undefined) return [];
  const { address, port } = node;
  if (address !== undefined && port !== undefined && address.port !== port)
    return [
      problemAt(source, ['node', 'port'], `the address has the port ${address.port}`, 'leave port out'),
    ];
  if (address !== undefined || port !== undefined) return [];
  const hint = 'such as port: 8081, or address: 10.0.0.1:8081 where balancers see the agent elsewhere';
  return [problemAt(source, ['node'], 'needs the port or the address where it takes clients', hint)];
}

/** The signals as they are written, so that one that is unsound does not hide what is wrong with another. */
function writtenSignals(source: Source): [name: string, signal: Record<string, unknown>][] {
  const signals: unknown = isMapping(source.data) ? source.data['signals'] : undefined;
  if (!isMapping(signals)) return [];
  return Object.entries(signals).map(([name, signal]) => [name, isMapping(signal) ? signal : {}]);
}

function checkSignalNames(source: Source): Problem[] {
  const names = writtenSignals(source).map(([name]) => name);
  const problems = names.flatMap((name) => {
    const complaint = nameComplaint(name);
    if (complaint === undefined) return [];
    return [problemAt(source, ['signals', name], complaint.message, complaint.hint, 'key')];
  });
  const custom = names.filter((name) => !isBuiltinSignal(name)).length;
  if (custom > maxCustomSources)
    problems.push(problemAt(source, ['signals'], `${custom} custom signals`, `at most ${maxCustomSources}`));
  return problems;
}

function nameComplaint(name: string): { message: string; hint: string } | undefined {
  if (measuredSignals.some((measured) => measured === name))
    return { message: 'is measured by the agent itself', hint: 'give the signal another name' };
  if (isBuiltinSignal(name)) return undefined;
  const problem = customNameProblem(name);
  return problem === undefined ? undefined : { message: problem, hint: 'give the signal another name' };
}

function checkSourceHosts(source: Source, { sources }: Sections): Problem[] {
  if (sources === undefined) return [];
  return writtenSignals(source).flatMap(([name, signal]) =>
    (['json', 'prometheus'] as const).flatMap((key) => {
      const asked = signal[key];
      const reading = readHttpUrl(isMapping(asked) ? asked['url'] : undefined);
      if (!('value' in reading)) return [];
      const { hostname } = new URL(reading.value);
      if (isAllowedHost(hostname, sources.hosts)) return [];
      const path: Path = ['signals', name, key, 'url'];
      return [
        problemAt(source, path, `${hostname} may not be asked`, 'list it under sources.hosts to allow it'),
      ];
    }),
  );
}

/**
 * True for loopback and for what `hosts` has: names by their text, addresses by their blocks. A name is allowed by
 * its text alone, wherever it resolves to.
 */
export function isAllowedHost(hostname: string, hosts: readonly string[]): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (host === 'localhost' || isLoopback(host)) return true;
  if (parseIp(host) === undefined) return hosts.includes(host);
  const blocks = hosts.flatMap((allowed) => {
    const block = parseCidr(allowed);
    return 'value' in block ? [block.value] : [];
  });
  return matchesAnyCidr(blocks, host);
}

function checkAgentCheck(source: Source, { agentCheck }: Sections): Problem[] {
  if (agentCheck === undefined) return [];
  const problems: Problem[] = [];
  if (parseIp(agentCheck.bind.host) === undefined) {
    const message = `${agentCheck.bind.host} is not an IP address`;
    problems.push(
      problemAt(source, ['agentCheck', 'bind'], message, 'write 127.0.0.1, or the address HAProxy reaches'),
    );
  }
  const known = [...measuredSignals, ...writtenSignals(source).map(([name]) => name)];
  const named = Object.entries(agentCheck.saturation ?? { cpu: 1 }).filter(
    ([, value]) => value !== undefined,
  );
  if (named.length === 0)
    problems.push(problemAt(source, ['agentCheck', 'saturation'], 'names no signal', 'such as cpu: 80%'));
  for (const [name] of named) {
    if (known.includes(name)) continue;
    const path = ['agentCheck', 'saturation', name];
    const message = `nobody measures ${formatPath([name])}`;
    problems.push(problemAt(source, path, message, nameHint(name, known), 'key'));
  }
  return problems;
}
