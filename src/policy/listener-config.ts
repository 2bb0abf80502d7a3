// Parts of a compiled configuration that say how bytes reach a public listener and leave for a node. Frozen, plain data.

/** A UNIX socket to listen on. */
export interface UnixBind {
  /** Absolute. */
  readonly path: string;
  /** Permissions of its file, such as 0o660. */
  readonly mode: number;
}

/** A certificate that a listener shows, as PEM texts. */
export interface CertificateConfig {
  /** The file as it is written: what metrics and logs call it. */
  readonly name: string;
  /** The certificate and those between it and its root. */
  readonly cert: string;
  /** Never logged. */
  readonly key: string;
}

/** Versions of TLS that can be the lowest. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** TLS of a public listener. */
export interface ListenerTlsConfig {
  /** At least one; the first is for clients that ask for a name that no other has, or for none. */
  readonly certificates: readonly CertificateConfig[];
  readonly minVersion: TlsVersion;
  /** Who must have signed a client's certificate; undefined: clients are not asked for one. */
  readonly clientCa: string | undefined;
  /** `optional`: a client without a certificate is let in, one with a wrong one is not. */
  readonly clientCertificates: 'required' | 'optional';
  /** Where the secret of session tickets is kept, as an absolute path; undefined: no tickets. */
  readonly ticketSecretPath: string | undefined;
}

/** TLS from Herald to the nodes of a pool. */
export interface PoolTlsConfig {
  /** Who signs the nodes' certificates, as PEM text; undefined: whom the system trusts. */
  readonly ca: string | undefined;
  /** The name that is asked for and that certificates must have; undefined: the node's host. */
  readonly serverName: string | undefined;
  /** False: any certificate is believed. */
  readonly verifies: boolean;
  /** Herald's own certificate and key, as PEM texts; both or neither. */
  readonly cert: string | undefined;
  /** Never logged. */
  readonly key: string | undefined;
}

/** Whether, and in which version, a node is told of the client in front of its bytes. */
export type SentProxyProtocol = 'off' | 'v1' | 'v2';
