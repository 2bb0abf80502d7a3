// From the text of agent.yaml to a sound document, or all that is wrong. Secrets in other files are the caller's to read.
import { checkAgent } from './agent-checks.ts';
import { agentSchema, type AgentDocument } from './agent-schema.ts';
import { overrideAgentFromEnvironment, type Environment } from './environment.ts';
import type { Path, Problem } from './problem.ts';
import { readDocument } from './read-document.ts';
import { parseYaml, type Source } from './yaml-document.ts';

/** A file with a secret that agent.yaml names. */
export interface SecretFile {
  readonly path: Path;
  /** As written. */
  readonly file: string;
  /** `token`: goes behind `Bearer`. `authorization`: is the whole header. */
  readonly use: 'token' | 'authorization';
}

/** What came of one agent.yaml. */
export interface AgentReading {
  /** Undefined when the text could not be understood at all. */
  readonly source: Source | undefined;
  /** Undefined when there are problems. */
  readonly document: AgentDocument | undefined;
  readonly problems: readonly Problem[];
  /** One line each; they stop nothing. */
  readonly warnings: readonly string[];
  readonly secretFiles: readonly SecretFile[];
}

/** Reads the text of an agent.yaml; never throws. */
export function readAgent(file: string, text: string, environment: Environment): AgentReading {
  const parsed = parseYaml(file, text);
  if (parsed.source === undefined) {
    const { problems } = parsed;
    return { source: undefined, document: undefined, problems, warnings: [], secretFiles: [] };
  }
  const { source, warnings } = overrideAgentFromEnvironment(parsed.source, environment);
  const { value, sections, problems: found } = readDocument(source, 'Agent', agentSchema);
  const problems = [...parsed.problems, ...found, ...checkAgent(source, sections)];
  return {
    source,
    document: problems.length === 0 ? value : undefined,
    problems,
    warnings,
    secretFiles: secretFilesOf(sections),
  };
}

function secretFilesOf({ tokenFile, signals }: Partial<AgentDocument>): SecretFile[] {
  const token: SecretFile[] =
    tokenFile === undefined ? [] : [{ path: ['tokenFile'], file: tokenFile, use: 'token' }];
  const ofSources = Object.entries(signals ?? {}).flatMap(([name, { json, prometheus }]): SecretFile[] => {
    const file = (json ?? prometheus)?.authorizationFile;
    if (file === undefined) return [];
    const key = json === undefined ? 'prometheus' : 'json';
    return [{ path: ['signals', name, key, 'authorizationFile'], file, use: 'authorization' }];
  });
  return [...token, ...ofSources];
}

/** What is wrong with the value of an Authorization header, without showing it; undefined when nothing is. */
export function complainAboutAuthorization(value: string): string | undefined {
  if (value === '') return 'is empty';
  if (value.length > 4096) return 'is longer than 4096 characters';
  // RFC 9110 section 5.5, but for obs-text.
  return /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(value)
    ? undefined
    : 'has characters that a header cannot have';
}
