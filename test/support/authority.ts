// A certificate authority for tests, made by openssl: certificates for any name, of any age.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A certificate with its key. */
export interface Issued {
  /** Path of its PEM file. */
  readonly cert: string;
  readonly key: string;
  readonly certPem: string;
  readonly keyPem: string;
}

/** Who signs. */
export interface Authority {
  /** Directory of all its files. */
  readonly folder: string;
  /** Path of its own certificate. */
  readonly ca: string;
  readonly caPem: string;
  /** One for these alternative names, such as `DNS:a.test` or `IP:127.0.0.1`; `days` may be negative: expired. */
  issue(file: string, names: readonly string[], days?: number): Issued;
}

const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { stdio: 'ignore' });
}

/** Makes an authority for one test, which removes it. */
export function anAuthority(): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'ha-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [ca, caKey] = [join(folder, 'ca.pem'), join(folder, 'ca.key')];
  openssl('req', '-x509', ...curve, '-days', '3', '-subj', '/CN=Test CA', '-keyout', caKey, '-out', ca);
  return {
    folder,
    ca,
    caPem: readFileSync(ca, 'utf8'),
    issue(file, names, days = 30) {
      const [cert, key] = [join(folder, `${file}.pem`), join(folder, `${file}.key`)];
      const [request, extensions] = [join(folder, `${file}.csr`), join(folder, `${file}.ext`)];
      writeFileSync(extensions, `subjectAltName=${names.join(',')}\n`);
      openssl('req', '-new', ...curve, '-subj', `/CN=${file}`, '-keyout', key, '-out', request);
      const signed = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-extfile', extensions];
      openssl('x509', '-req', '-in', request, ...signed, '-days', `${days}`, '-out', cert);
      return { cert, key, certPem: readFileSync(cert, 'utf8'), keyPem: readFileSync(key, 'utf8') };
    },
  };
}
