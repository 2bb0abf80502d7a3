// The check of createAgent's option `agentCheck`.
import { isIP } from 'node:net';
import { builtinSignals } from '../core/signal.ts';
import {
  isRecord,
  plainKey,
  readNumber,
  type Refuse,
  refuseUnknownKeys,
  shown,
} from '../protocol/field-checks.ts';
import type { AgentCheckSettings } from './options.ts';

const keys = new Set(['port', 'host', 'saturation']);
const defaultHost = '127.0.0.1';

/** The two by which the default policy sees a node as full. */
const defaultSaturation = { cpu: 0.8, eventLoopUtilization: 0.85 };

const portField = {
  path: 'agentCheck.port',
  min: 0,
  max: 65_535,
  whole: true,
  hint: '5555 is usual',
} as const;

/** The settings, undefined when the option is left out. `custom` are the names of the custom signals. */
export function readAgentCheck(
  option: unknown,
  custom: readonly string[],
  refuse: Refuse,
): AgentCheckSettings | undefined {
  if (option === undefined) return undefined;
  if (!isRecord(option)) {
    refuse({
      path: 'agentCheck',
      message: `must be an object, is ${shown(option)}`,
      hint: 'write { port: 5555 }',
    });
    return undefined;
  }
  refuseUnknownKeys(option, { path: 'agentCheck', keys }, refuse);
  return {
    port: readNumber(option['port'], portField, refuse),
    host: readHost(option['host'], refuse),
    saturation: readSaturation(option['saturation'], custom, refuse),
  };
}

/** An IP address: a name would have to be looked up, which can fail or hang when the agent starts. */
function readHost(host: unknown, refuse: Refuse): string {
  if (host === undefined) return defaultHost;
  if (typeof host === 'string' && isIP(host) !== 0) return host;
  const message = `must be an IP address, is ${shown(host)}`;
  refuse({ path: 'agentCheck.host', message, hint: 'write 127.0.0.1, or the address that HAProxy reaches' });
  return defaultHost;
}

function readSaturation(
  saturation: unknown,
  custom: readonly string[],
  refuse: Refuse,
): Readonly<Record<string, number>> {
  if (saturation === undefined) return defaultSaturation;
  const path = 'agentCheck.saturation';
  if (!isRecord(saturation) || Object.keys(saturation).length === 0) {
    const message = `must be an object with one signal or more, is ${shown(saturation)}`;
    refuse({ path, message, hint: 'write { cpu: 0.8 }' });
    return defaultSaturation;
  }
  // What nobody measures would be left out for ever, and the node answer as though it were full.
  refuseUnknownKeys(saturation, { path, keys: new Set([...Object.keys(builtinSignals), ...custom]) }, refuse);
  const read = Object.entries(saturation).map(([name, value]): [string, number] => {
    const field = { path: `${path}.${plainKey(name)}`, min: 0, aboveMin: true, max: 1e12 } as const;
    return [name, readNumber(value, { ...field, hint: 'give the value at which the node is full' }, refuse)];
  });
  return Object.fromEntries(read);
}
