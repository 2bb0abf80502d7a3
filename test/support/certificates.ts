// Certificates for listeners of tests, made by openssl.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A certificate that vouches for itself; it is its own authority. */
export interface Certificate {
  /** Path of its PEM file. */
  readonly cert: string;
  /** Path of its key. */
  readonly key: string;
  readonly certPem: string;
  readonly keyPem: string;
}

/** Certificates in a directory of their own. */
export interface Certificates {
  /** One for `localhost` alone: 127.0.0.1 is another name. */
  readonly own: Certificate;
  /** Another for the same name, which does not vouch for the first. */
  readonly foreign: Certificate;
  /** Removes all files. */
  remove(): void;
}

/** Makes both; the caller removes them. */
export function makeCertificates(): Certificates {
  const folder = mkdtempSync(join(tmpdir(), 'hc-'));
  return {
    own: certificateIn(folder, 'own'),
    foreign: certificateIn(folder, 'foreign'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function certificateIn(folder: string, name: string): Certificate {
  const [key, cert] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)];
  // The same subject for all: what tells them apart must be the key.
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], {
    stdio: 'ignore',
  });
  return { cert, key, certPem: readFileSync(cert, 'utf8'), keyPem: readFileSync(key, 'utf8') };
}
