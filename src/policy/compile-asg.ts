// From `asg` as the schema has read it to what lifecycle hooks run on.
import type { Surroundings } from './compile-config.ts';
import type { ConfigDocument } from './config-schema.ts';
import type { AsgCall, AsgConfig } from './config.ts';
import type { OutputFiles } from './compile-outputs.ts';

type AsgSection = ConfigDocument['asg'];

/** The section compiled; undefined for none. */
export function compileAsg(asg: AsgSection, surroundings: Surroundings): AsgConfig | undefined {
  if (asg === undefined) return undefined;
  const { groups, nodes, timeout, heartbeat, complete } = asg;
  return {
    groups,
    nodes,
    timeoutMs: timeout,
    heartbeat: heartbeat && compileCall(heartbeat, surroundings),
    complete: compileCall(complete, surroundings),
  };
}

function compileCall(
  { command = [], url, secretFile = '' }: NonNullable<AsgSection>['complete'],
  { resolvePath, secrets }: Surroundings,
): AsgCall {
  // The caller reads every file: '' does not happen.
  if (url !== undefined) return { kind: 'url', url, secret: secrets.get(secretFile) ?? '' };
  // The schema demands one of them: an empty command does not happen.
  const [program = '', ...args] = command;
  return { kind: 'command', command: [program.includes('/') ? resolvePath(program) : program, ...args] };
}

/** The files that the section names. */
export function asgFilesOf(asg: AsgSection): Pick<OutputFiles, 'secretFiles' | 'programs'> {
  const calls = (['heartbeat', 'complete'] as const).flatMap((key) => {
    const call = asg?.[key];
    return call === undefined ? [] : [{ path: ['asg', key], call }];
  });
  return {
    secretFiles: calls.flatMap(({ path, call: { secretFile } }) =>
      secretFile === undefined ? [] : [{ path: [...path, 'secretFile'], file: secretFile }],
    ),
    programs: calls.flatMap(({ path, call: { command } }) =>
      command?.[0] === undefined ? [] : [{ path: [...path, 'command', 0], file: command[0] }],
    ),
  };
}
