// From an agent.yaml to what an agent is made of.
import { formatAddress } from '../../policy/address.ts';
import type { AgentConfig } from '../../policy/agent-config.ts';
import type { AgentSettings } from '../options.ts';
import { readOptions } from '../read-options.ts';

/** The settings of the agent. `hostname` is what the id is made of where none is given. */
export function agentSettings(config: AgentConfig, hostname: string): AgentSettings {
  const { node, agentCheck, pool, token, intervalMs, balancers } = config;
  const check = agentCheck && { host: agentCheck.bind.host, port: agentCheck.bind.port };
  const settings = readOptions(
    {
      balancers: balancers.map(({ href }) => href),
      pool,
      token,
      intervalMs,
      id: node.id,
      address: node.address && formatAddress(node.address),
      port: node.port,
      capacity: node.capacity,
      zone: node.zone,
      version: node.version,
      agentCheck: check,
    },
    { nodeId: undefined, hostname },
  );
  // Its names were checked with the file, which knows what the sources are called.
  return { ...settings, agentCheck: check && agentCheck && { ...check, saturation: agentCheck.saturation } };
}
