// The files of certificates and keys: read, and tried before anything is taken over, so that a wrong one changes nothing.
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { ConfigReading, TlsFiles } from '../policy/compile-config.ts';
import type { Problem } from '../policy/problem.ts';
import { problemAt } from '../policy/schema-problems.ts';
import { readText } from './read-text.ts';

/** What the files hold. */
export interface TlsRead {
  /** Texts by the name of their file as written. */
  readonly pems: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

const members = ['cert', 'key', 'clientCa'] as const;

/** Every file that the sections name, as written. */
export function tlsPaths({ tlsFiles }: ConfigReading): string[] {
  return tlsFiles.flatMap((tls) => members.flatMap((member) => tls[member] ?? []));
}

/** Reads every file and tries each certificate with its key. Problems show no part of a key. */
export async function readTlsFiles(
  reading: ConfigReading,
  resolvePath: (path: string) => string,
): Promise<TlsRead> {
  const { source, tlsFiles } = reading;
  const pems = new Map<string, string>();
  const problems: Problem[] = [];
  for (const tls of tlsFiles) {
    if (source === undefined) break;
    let isWhole = true;
    for (const member of members) {
      const file = tls[member];
      if (file === undefined) continue;
      const text = await readText(resolvePath(file));
      if ('text' in text) pems.set(file, text.text);
      else problems.push(problemAt(source, [...tls.path, member], `${file}: ${text.message}`, text.hint));
      isWhole &&= 'text' in text;
    }
    const fault = isWhole ? faultOf(tls, pems) : undefined;
    if (fault !== undefined)
      problems.push(problemAt(source, [...tls.path, fault.member], fault.message, fault.hint));
  }
  return { pems, problems };
}

/** What is wrong with a certificate, its key or the authority of clients; undefined when they serve. */
function faultOf(
  tls: TlsFiles,
  pems: ReadonlyMap<string, string>,
): { member: (typeof members)[number]; message: string; hint: string } | undefined {
  const { cert, key, clientCa } = tls;
  const pemHint = 'a PEM file, as openssl writes it';
  if (!serves({ cert: pems.get(cert) }))
    return { member: 'cert', message: `${cert}: is no certificate`, hint: pemHint };
  if (!serves({ key: pems.get(key) }))
    return { member: 'key', message: `${key}: is no key without a passphrase`, hint: pemHint };
  if (!serves({ cert: pems.get(cert), key: pems.get(key) }))
    return {
      member: 'key',
      message: `${key}: is not the key of ${cert}`,
      hint: 'name the pair that belongs together',
    };
  // Node takes any text as an authority and then knows nobody: a certificate must be in it.
  if (clientCa !== undefined && !serves({ cert: pems.get(clientCa) }))
    return { member: 'clientCa', message: `${clientCa}: is no certificate`, hint: pemHint };
  return undefined;
}

function serves(options: SecureContextOptions): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    // What OpenSSL says of it is no help: the caller knows which file it was.
    return false;
  }
}
