// The files of the link to Redis: its password, certificates and key, each tried before it is used.
import { createSecureContext } from 'node:tls';
import type { ConfigReading } from '../policy/compile-config.ts';
import type { StateFile } from '../policy/compile-state.ts';
import type { Problem } from '../policy/problem.ts';
import { problemAt } from '../policy/schema-problems.ts';
import { complainAboutPassword } from '../policy/state-schema.ts';
import { readText } from './read-text.ts';

/** What the files hold. */
export interface LinkFilesRead {
  /** By the name of the file as written; of a password without its last line break. */
  readonly texts: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

/** Reads every file. Problems show no part of a secret. */
export async function readLinkFiles(
  { source, stateFiles }: ConfigReading,
  resolvePath: (path: string) => string,
): Promise<LinkFilesRead> {
  const texts = new Map<string, string>();
  const problems: Problem[] = [];
  for (const stateFile of stateFiles) {
    if (source === undefined) break;
    const { path, file } = stateFile;
    const read = await readText(resolvePath(file));
    if (!('text' in read)) {
      problems.push(problemAt(source, path, `${file}: ${read.message}`, read.hint));
      continue;
    }
    const text = stateFile.holds === 'password' ? read.text.replace(/\r?\n$/, '') : read.text;
    texts.set(file, text);
    const message = complaintAbout(stateFile, text);
    if (message !== undefined) problems.push(problemAt(source, path, `${file}: ${message}`, ''));
  }
  return { texts, problems };
}

function complaintAbout({ holds }: StateFile, text: string): string | undefined {
  if (holds === 'password') return complainAboutPassword(text);
  try {
    // A certificate of an authority is tried as one of a server: Node takes any text as an authority.
    createSecureContext(holds === 'key' ? { key: text } : { cert: text });
    return undefined;
  } catch {
    return holds === 'key' ? 'is no key without a passphrase' : 'is no certificate';
  }
}
