// The files of certificates and keys: read, and tried before anything is taken over, so that a wrong one changes nothing.
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { ConfigReading, TlsFiles } from '../policy/compile-config.ts';
import type { Problem } from '../policy/problem.ts';
import { problemAt } from '../policy/schema-problems.ts';
import { describeCertificate, expiresSoonMs } from './certificate.ts';
import { readText } from './read-text.ts';

/** What the files hold. */
export interface TlsRead {
  /** One line each; they stop nothing. */
  readonly warnings: readonly string[];
  /** Texts by the name of their file as written. */
  readonly pems: ReadonlyMap<string, string>;
  readonly problems: readonly Problem[];
}

const members = ['cert', 'key', 'clientCa', 'ca'] as const;

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
  const warnings: string[] = [];
  const served = new ServedNames();
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
    const fault = isWhole ? (faultOf(tls, pems) ?? served.faultOf(tls, pems)) : undefined;
    if (fault !== undefined)
      problems.push(problemAt(source, [...tls.path, fault.member], fault.message, fault.hint));
    else if (isWhole) warnings.push(...expiryWarnings(tls, pems));
  }
  return { pems, problems, warnings };
}

interface Fault {
  readonly member: (typeof members)[number];
  readonly message: string;
  readonly hint: string;
}

const pemHint = 'a PEM file, as openssl writes it';

/** What is wrong with a certificate, its key or an authority; undefined when they serve. */
function faultOf(tls: TlsFiles, pems: ReadonlyMap<string, string>): Fault | undefined {
  const { cert, key } = tls;
  const pemOf = (file: string | undefined) => pems.get(file ?? '');
  if (cert !== undefined && !serves({ cert: pemOf(cert) }))
    return { member: 'cert', message: `${cert}: is no certificate`, hint: pemHint };
  if (key !== undefined && !serves({ key: pemOf(key) }))
    return { member: 'key', message: `${key}: is no key without a passphrase`, hint: pemHint };
  if (cert !== undefined && !serves({ cert: pemOf(cert), key: pemOf(key) }))
    return {
      member: 'key',
      message: `${key}: is not the key of ${cert}`,
      hint: 'name the pair that belongs together',
    };
  // Node takes any text as an authority and then knows nobody: a certificate must be in it.
  for (const member of ['clientCa', 'ca'] as const) {
    const file = tls[member];
    if (file !== undefined && !serves({ cert: pemOf(file) }))
      return { member, message: `${file}: is no certificate`, hint: pemHint };
  }
  return undefined;
}

/** What certificates of public listeners must be beside sound: of today, and the only one for their names. */
class ServedNames {
  readonly #firstFor = new Map<string, string>();

  faultOf({ listener, cert, path }: TlsFiles, pems: ReadonlyMap<string, string>): Fault | undefined {
    if (listener === undefined || cert === undefined) return undefined;
    const { names, validFromMs, expiresMs } = describeCertificate(pems.get(cert) ?? '');
    const nowMs = Date.now();
    const dates = { notYet: new Date(validFromMs).toISOString(), over: new Date(expiresMs).toISOString() };
    if (nowMs >= expiresMs)
      return { member: 'cert', message: `${cert}: expired on ${dates.over}`, hint: 'renew it' };
    if (nowMs < validFromMs)
      return {
        member: 'cert',
        message: `${cert}: is not valid before ${dates.notYet}`,
        hint: 'check the clock',
      };
    const place = `listeners[${listener}].tls.certificates[${path.at(-1)}]`;
    for (const name of names) {
      const first = this.#firstFor.get(`${listener} ${name}`);
      if (first !== undefined)
        return {
          member: 'cert',
          message: `${cert}: ${name} is a name of ${first}, too`,
          hint: 'one certificate for each name: take one of them out',
        };
      this.#firstFor.set(`${listener} ${name}`, place);
    }
    return undefined;
  }
}

function expiryWarnings({ listener, cert }: TlsFiles, pems: ReadonlyMap<string, string>): string[] {
  if (listener === undefined || cert === undefined) return [];
  const { expiresMs } = describeCertificate(pems.get(cert) ?? '');
  if (expiresMs - Date.now() >= expiresSoonMs) return [];
  return [`${cert}: the certificate expires on ${new Date(expiresMs).toISOString()}: renew it`];
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
