// Checks across `keda`, `asg` and what they need of other sections.
import { formatAddress } from './address.ts';
import { isLoopback } from './cidr.ts';
import type { ConfigDocument } from './config-schema.ts';
import type { Problem } from './problem.ts';
import { problemAt } from './schema-problems.ts';
import type { Source } from './yaml-document.ts';

/** Everything that is wrong with the outputs for autoscalers. */
export function checkScaleOutputs(source: Source, sections: Partial<ConfigDocument>): Problem[] {
  return [...checkKeda(source, sections), ...checkAsg(source, sections)];
}

function checkKeda(source: Source, { keda }: Partial<ConfigDocument>): Problem[] {
  if (keda === undefined || keda.tls !== undefined) return [];
  const { bind } = keda;
  if (isLoopback(bind.host) || bind.host === 'localhost') return [];
  const message = `${formatAddress(bind)} needs tls: who answers in its place could scale the pool`;
  return [problemAt(source, ['keda', 'bind'], message, 'write keda.tls, or bind to 127.0.0.1')];
}

function checkAsg(source: Source, { asg, intake }: Partial<ConfigDocument>): Problem[] {
  if (asg === undefined || intake === undefined) return [];
  if (intake.tokens.some(({ role }) => role === 'operate')) return [];
  const message = 'needs a token of role operate in intake.tokens: the hook drains nodes';
  return [problemAt(source, ['asg'], message, 'add one to intake.tokens')];
}
