// What a certificate says of itself: its names and its time. Whether it belongs to a key is tls-files.ts.
import { X509Certificate } from 'node:crypto';

/** The first certificate of a PEM text. */
export interface CertificateFacts {
  /** Names of hosts in lower case, `*.example.com` included; the common name where no other is there. May be empty. */
  readonly names: readonly string[];
  /** Milliseconds since the epoch. */
  readonly validFromMs: number;
  readonly expiresMs: number;
}

/** From then on operators are warned: authorities that renew by themselves do so thirty days before. */
export const expiresSoonMs = 14 * 24 * 60 * 60 * 1000;

/** Reads a certificate that is known to be one; throws what node:crypto does for anything else. */
export function describeCertificate(pem: string): CertificateFacts {
  const certificate = new X509Certificate(pem);
  const { subjectAltName = '', subject, validFrom, validTo } = certificate;
  const alternatives = [...subjectAltName.matchAll(/(?:^|, )DNS:([^,"\s]+)/g)].map((match) => match[1] ?? '');
  const [, common] = /^CN=(.+)$/m.exec(subject ?? '') ?? [];
  const names = subjectAltName === '' && common !== undefined ? [common] : alternatives;
  return {
    names: [...new Set(names.map((name) => name.toLowerCase()))],
    validFromMs: Date.parse(validFrom),
    expiresMs: Date.parse(validTo),
  };
}
