// The check of what createAgent takes. All problems are told at once.
import { HeraldError } from '../core/error.ts';
import {
  type Problem,
  readAddress,
  readNumber,
  readText,
  type Refuse,
  refuseUnknownKeys,
  portOf,
  shown,
} from '../protocol/field-checks.ts';
import {
  customNameProblem,
  maxCustomSignals,
  refuseTwoPorts,
  reportFields,
} from '../protocol/report-fields.ts';
import type { ReportedNode } from '../protocol/report.ts';
import { readAgentCheck } from './read-agent-check.ts';
import type { AgentOptions, AgentSettings, CustomSignal } from './options.ts';

/** Where defaults come from. */
export interface AgentSurroundings {
  /** `HERALD_NODE_ID`; empty counts as not set. */
  readonly nodeId: string | undefined;
  readonly hostname: string;
}

const optionKeys = new Set(
  'balancers pool id address port capacity zone version token intervalMs signals agentCheck onEvent onAdminState onShed'.split(
    ' ',
  ),
);

const defaultIntervalMs = 1000;
const maxBalancers = 16;
const maxIdCharacters = 64;

/** Checks the options. Throws HERALD_AGENT_INVALID with every problem in `details.problems` and in the message. */
export function readOptions(options: AgentOptions, surroundings: AgentSurroundings): AgentSettings {
  const problems: Problem[] = [];
  const refuse: Refuse = (problem) => problems.push(problem);
  refuseUnknownKeys({ ...options }, { path: '', keys: optionKeys }, refuse);
  for (const name of ['onEvent', 'onAdminState', 'onShed'] as const) {
    if (options[name] === undefined || typeof options[name] === 'function') continue;
    refuse({
      path: name,
      message: `must be a function, is ${shown(options[name])}`,
      hint: 'or leave it out',
    });
  }
  const { intervalMs = defaultIntervalMs, signals = {} } = options;
  const settings = {
    balancers: readBalancers(options.balancers, options.agentCheck === undefined ? 1 : 0, refuse),
    pool: readText(options.pool, reportFields.pool, refuse),
    node: readNode(options, surroundings, refuse),
    token: readToken(options.token, refuse),
    intervalMs: readNumber(intervalMs, { ...reportFields.intervalMs, hint: '1000 is usual' }, refuse),
    signals: readSignals(signals, refuse),
  };
  const custom = settings.signals.map(([name]) => name);
  const agentCheck = readAgentCheck(options.agentCheck, custom, refuse);
  if (problems.length === 0) return { ...settings, agentCheck };
  const lines = problems.map(({ path, message, hint }) => `${path}: ${message} (${hint})`);
  throw new HeraldError('HERALD_AGENT_INVALID', `createAgent: ${lines.join('; ')}`, { problems });
}

function readNode(options: AgentOptions, surroundings: AgentSurroundings, refuse: Refuse): ReportedNode {
  const { address, port, capacity, zone, version } = options;
  const { port: portField, capacity: capacityField } = reportFields;
  const node = {
    id: readId(options, surroundings, refuse),
    ...(address === undefined ? {} : { address: readAddress(address, 'address', refuse) }),
    ...(port === undefined ? {} : { port: readNumber(port, at(portField, 'port'), refuse) }),
    ...(capacity === undefined
      ? {}
      : { capacity: readNumber(capacity, at(capacityField, 'capacity'), refuse) }),
    ...(zone === undefined ? {} : { zone: readText(zone, at(reportFields.zone, 'zone'), refuse) }),
    ...(version === undefined
      ? {}
      : { version: readText(version, at(reportFields.version, 'version'), refuse) }),
  };
  refuseTwoPorts(node, 'port', refuse);
  return node;
}

function at<Field extends { path: string }>(field: Field, path: string): Field {
  return { ...field, path };
}

/**
 * The id has to be the same after a restart, or the balancer would learn the node's slope anew, and different
 * from that of every other node; a process id is neither. Host name and port are both.
 */
function readId(options: AgentOptions, { nodeId, hostname }: AgentSurroundings, refuse: Refuse): string {
  if (options.id !== undefined) return readText(options.id, { ...reportFields.id, path: 'id' }, refuse);
  if (nodeId !== undefined && nodeId !== '') {
    return readText(nodeId, { ...reportFields.id, path: 'HERALD_NODE_ID' }, refuse);
  }
  const port = options.port ?? (typeof options.address === 'string' ? portOf(options.address) : undefined);
  if (port !== undefined) {
    // The tail is kept: names that an orchestrator gives differ at their end.
    const room = maxIdCharacters - `:${port}`.length;
    return `${hostname.replaceAll(/[^A-Za-z0-9._:-]/g, '-').slice(-room)}:${port}`;
  }
  refuse({ path: 'id', message: 'is missing', hint: 'give id, port or address, or set HERALD_NODE_ID' });
  return '';
}

/** An agent that nobody hears is a mistake; with an agent-check HAProxy hears it. */
function readBalancers(urls: unknown, least: 0 | 1, refuse: Refuse): URL[] {
  if (!Array.isArray(urls) || urls.length < least || urls.length > maxBalancers) {
    const message = `must be a list of ${least} to ${maxBalancers} URLs, is ${shown(urls)}`;
    refuse({ path: 'balancers', message, hint: "write ['http://127.0.0.1:9401']" });
    return [];
  }
  const read: URL[] = [];
  for (const [index, text] of urls.entries()) {
    const url = typeof text === 'string' && URL.canParse(text) ? new URL(text) : undefined;
    const problem = balancerProblem(url, read);
    if (url !== undefined && problem === undefined) read.push(url);
    else
      refuse({
        path: `balancers[${index}]`,
        message: `${problem}, is ${shown(text)}`,
        hint: 'http://host:9401',
      });
  }
  return read;
}

function balancerProblem(url: URL | undefined, others: readonly URL[]): string | undefined {
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) return 'must be an http or https URL';
  if (url.username !== '' || url.password !== '') return 'must hold no user or password (use token)';
  if (url.search !== '' || url.hash !== '') return 'must hold no query or fragment';
  return others.some((other) => other.href === url.href) ? 'must be named once only' : undefined;
}

function readToken(token: unknown, refuse: Refuse): string | undefined {
  if (token === undefined) return undefined;
  // What HTTP allows in the value of a header; the message must not show a secret.
  if (typeof token === 'string' && /^[\x21-\x7e]{1,4096}$/.test(token)) return token;
  refuse({
    path: 'token',
    message: 'must be 1 to 4096 visible ASCII characters',
    hint: 'a line feed at the end of a secret file is the usual reason: trim it',
  });
  return undefined;
}

function readSignals(signals: unknown, refuse: Refuse): [string, CustomSignal][] {
  if (typeof signals !== 'object' || signals === null) {
    refuse({
      path: 'signals',
      message: `must be an object, is ${shown(signals)}`,
      hint: '{ queueDelayMs: () => 3 }',
    });
    return [];
  }
  const entries = Object.entries(signals);
  if (entries.length > maxCustomSignals) {
    const message = `must hold at most ${maxCustomSignals} signals, holds ${entries.length}`;
    refuse({ path: 'signals', message, hint: 'report only what the policy names' });
  }
  return entries.filter((entry): entry is [string, CustomSignal] => {
    const [name, measure]: [string, unknown] = entry;
    const problem = customNameProblem(name);
    const path = `signals.${shown(name)}`;
    if (problem !== undefined) refuse({ path, message: problem, hint: 'give the signal another name' });
    if (typeof measure === 'function') return problem === undefined;
    refuse({
      path,
      message: `must be a function, is ${shown(measure)}`,
      hint: 'return the value: () => value',
    });
    return false;
  });
}
