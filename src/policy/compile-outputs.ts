// From `webhooks` and `drivers` as the schema has read them to what the outputs run on.
import { asgFilesOf } from './compile-asg.ts';
import type { Surroundings } from './compile-config.ts';
import type { ConfigDocument } from './config-schema.ts';
import type { DriverConfig, WebhookConfig } from './config.ts';
import type { Path } from './problem.ts';

/** A file that a section names, and where. */
interface NamedFile {
  readonly path: Path;
  readonly file: string;
}

/** What the outputs, and whoever else has secrets, take from other files, as written. */
export interface OutputFiles {
  readonly secretFiles: readonly NamedFile[];
  readonly caFiles: readonly NamedFile[];
  /** Programs of drivers: they must be there. */
  readonly programs: readonly NamedFile[];
}

/** The files that these sections name. */
export function outputFilesOf(sections: Partial<ConfigDocument>): OutputFiles {
  const { webhooks = [], drivers = [], asg, affinity } = sections;
  const ofAsg = asgFilesOf(asg);
  return {
    secretFiles: [
      ...webhooks.flatMap((webhook, index) =>
        (['secretFile', 'formerSecretFile'] as const).flatMap((key) => {
          const file = webhook[key];
          return file === undefined ? [] : [{ path: ['webhooks', index, key], file }];
        }),
      ),
      ...ofAsg.secretFiles,
      ...(affinity?.keyFiles ?? []).map((file, index) => ({ path: ['affinity', 'keyFiles', index], file })),
    ],
    caFiles: webhooks.flatMap(({ tls }, index) =>
      tls === undefined ? [] : [{ path: ['webhooks', index, 'tls', 'ca'], file: tls.ca }],
    ),
    programs: [
      ...drivers.flatMap(({ command: [file] }, index) =>
        file === undefined ? [] : [{ path: ['drivers', index, 'command', 0], file }],
      ),
      ...ofAsg.programs,
    ],
  };
}

/** A webhook; its secrets and its authority have been read. */
export function compileWebhook(
  webhook: ConfigDocument['webhooks'][number],
  { secrets, pems }: Surroundings,
): WebhookConfig {
  const { name, url, pools, events, timeout, attempts, maxAge, tls } = webhook;
  // The schema demands one of secretFile and secret, and the caller reads every file: '' does not happen.
  const secretOf = (file: string | undefined) => secrets.get(file ?? '') ?? '';
  const former = webhook.formerSecretFile;
  return {
    name,
    url,
    secrets: [
      webhook.secret ?? secretOf(webhook.secretFile),
      ...(former === undefined ? [] : [secretOf(former)]),
    ],
    pools: pools ?? 'all',
    events,
    timeoutMs: timeout,
    attempts,
    maxAgeMs: maxAge,
    ca: tls === undefined ? undefined : (pems.get(tls.ca) ?? ''),
  };
}

/** A driver, its program found from the file's directory where it is a path. */
export function compileDriver(
  { name, kind, pools, command, timeout, env }: ConfigDocument['drivers'][number],
  resolvePath: (path: string) => string,
): DriverConfig {
  // The schema demands a program: '' does not happen.
  const [program = '', ...rest] = command;
  return {
    name,
    kind,
    pools: pools ?? 'all',
    command: [program.includes('/') ? resolvePath(program) : program, ...rest],
    timeoutMs: timeout,
    env,
  };
}
