// What a listener's `tls` means to OpenSSL: contexts with certificates, the choice between them, tickets.
import { Buffer } from 'node:buffer';
import { constants, createHash } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { describeCertificate } from '../../platform/certificate.ts';
import { ticketPeriodMs } from '../../platform/ticket-keys.ts';
import type { ListenerTlsConfig } from '../../policy/listener-config.ts';
import type { TlsTerms } from './wire.ts';

/** What contexts need beside the configuration. */
export interface TlsSettings {
  /** Of session tickets: 48 bytes. */
  readonly keys: Buffer;
  /** The listener's. */
  readonly name: string;
  /** For ALPN; undefined: it is not spoken. */
  readonly protocol: string | undefined;
}

/** The terms of new connections. Throws what OpenSSL says of wrong certificates. */
export function termsOf(config: ListenerTlsConfig, settings: TlsSettings): TlsTerms {
  const shared = sharedOptions(config, settings);
  const [first, ...others] = config.certificates;
  const contexts = new Map<string, SecureContext>();
  for (const { cert, key } of others) {
    const context = createSecureContext({ ...shared, cert, key });
    for (const name of describeCertificate(cert).names) contexts.set(name, context);
  }
  // The first one's own names come before a wildcard of another.
  const own = new Set(describeCertificate(first?.cert ?? '').names);
  for (const name of own) contexts.delete(name);
  const options = { ...shared, cert: first?.cert, key: first?.key };
  return {
    context: createSecureContext(options),
    options,
    protocols: protocolList(settings.protocol),
    clientCertificates: config.clientCa === undefined ? 'off' : config.clientCertificates,
    // With one certificate there is nothing to choose, and OpenSSL goes a longer way where it has to ask.
    ...(contexts.size > 0 && { choose: choosing(own, contexts) }),
  };
}

/** For `TlsTerms.protocols`: one, of at most 127 ASCII characters, or none. */
export function protocolList(protocol: string | undefined): Buffer {
  return protocol === undefined
    ? Buffer.alloc(0)
    : Buffer.from(String.fromCodePoint(protocol.length) + protocol, 'latin1');
}

function sharedOptions(config: ListenerTlsConfig, { keys, name }: TlsSettings): SecureContextOptions {
  const { minVersion, clientCa, ticketSecretPath } = config;
  const noTickets = ticketSecretPath === undefined ? constants.SSL_OP_NO_TICKET : 0;
  return {
    minVersion,
    honorCipherOrder: true,
    ticketKeys: keys,
    // A session of other rules for clients, or of another listener, is not taken up again.
    sessionIdContext: sessionContext(config, name),
    sessionTimeout: ticketPeriodMs / 1000,
    ...(clientCa !== undefined && { ca: clientCa }),
    // A client that begins anew again and again costs a handshake each time; nobody else does it.
    secureOptions: noTickets | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

/** Who has a name chooses by it; undefined chooses the first certificate. */
function choosing(
  own: ReadonlySet<string>,
  contexts: ReadonlyMap<string, SecureContext>,
): NonNullable<TlsTerms['choose']> {
  return (asked) => {
    const name = asked.toLowerCase();
    const wildcard = `*${name.slice(name.indexOf('.'))}`;
    return own.has(name) ? undefined : (contexts.get(name) ?? contexts.get(wildcard));
  };
}

function sessionContext({ clientCa = '', clientCertificates }: ListenerTlsConfig, name: string): string {
  const digest = createHash('sha256').update(`${name}\0${clientCertificates}\0${clientCa}`);
  return digest.digest('hex').slice(0, 32);
}
