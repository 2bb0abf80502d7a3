// What an error of Redis, of its client or of the network means for the link, in words for the operator.

/**
 * What is wrong. `refused`: waiting does not mend it. `away`: the connection is of no use, another one may be.
 * `limited`: the server answers, but does not do all that is asked of it.
 */
export interface Fault {
  readonly kind: 'refused' | 'away' | 'limited';
  /** For people: without address, without any part of a secret. */
  readonly reason: string;
}

/** What came of a command: the reply, or what is wrong. */
export type Answer = { readonly value: unknown } | { readonly fault: Fault };

/** The fault of a link that is not there. */
export const linkDown: Fault = Object.freeze({ kind: 'away', reason: 'the link is down' });

// In a script's error the code stands anywhere. Order matters: the first that is found counts.
const spoken: readonly (readonly [pattern: RegExp, kind: Fault['kind'], reason: string])[] = [
  [/\bWRONGPASS\b|invalid password/, 'refused', 'it refuses the user name or the password (WRONGPASS)'],
  [/\bNOAUTH\b/, 'refused', 'it asks for a password and none is configured (NOAUTH)'],
  [/\bNOPERM\b|ACL failure/, 'refused', 'the user lacks a right (NOPERM)'],
  [/\bREADONLY\b/, 'away', 'it is a read-only replica (READONLY)'],
  [/\bLOADING\b/, 'away', 'it is still loading its data (LOADING)'],
  [/\bMASTERDOWN\b/, 'away', 'it is a replica that has lost its master (MASTERDOWN)'],
  [/\bCLUSTERDOWN\b/, 'away', 'the cluster does not serve all slots (CLUSTERDOWN)'],
  [/\bBUSY\b/, 'away', 'it is busy with a script (BUSY)'],
  [/\bOOM\b/, 'limited', 'its memory is full (OOM): nothing new is kept, what is said still arrives'],
  [/\bMISCONF\b/, 'limited', 'it cannot save to its disk and refuses writes (MISCONF)'],
  [/\bNOREPLICAS\b/, 'limited', 'it lacks the replicas that it must have to write (NOREPLICAS)'],
  [/\bMOVED\b|\bCROSSSLOT\b/, 'refused', 'it is part of a Redis Cluster: name its servers in `cluster`'],
  [/cluster support disabled/i, 'refused', 'it is no Redis Cluster: name it in `url`'],
  // Not the command itself: Redis repeats its arguments, and those of HELLO are user and password.
  [
    /unknown command|no such command/i,
    'refused',
    'it lacks a command: it is older than Redis 6, or it is a Sentinel where a Redis is named, or the reverse',
  ],
  [/DB index is out of range|SELECT is not allowed/, 'refused', 'it has no database of this number'],
  [/invalid reply: null/, 'away', 'the Sentinels know no master of this name'],
  [/^Connection is closed/, 'away', 'the connection was closed, or none could be made'],
  [/\bmax number of clients\b/, 'away', 'it has as many clients as it allows (maxclients)'],
];

const untrusted =
  /^(SELF_SIGNED|DEPTH_ZERO|UNABLE_TO|CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|HOSTNAME_MISMATCH|EPROTO)/;

/** What an error means. Anything that is no answer of the server is taken for a lost connection. */
export function faultOf(error: unknown): Fault {
  if (!(error instanceof Error)) return { kind: 'away', reason: String(error) };
  const { message } = error;
  if (isProtocolError(error))
    return {
      kind: 'refused',
      reason: 'what answers there does not speak the protocol of Redis, or only one side speaks TLS',
    };
  const known = spoken.find(([pattern]) => pattern.test(message));
  if (known !== undefined) return { kind: known[1], reason: withDetail(known, message) };
  if (error.name === 'ReplyError') return { kind: 'limited', reason: `it says: ${firstLine(message)}` };
  const code = codeOf(error);
  if (untrusted.test(code)) return { kind: 'refused', reason: `TLS fails: ${firstLine(message)} (${code})` };
  return { kind: 'away', reason: code === '' ? firstLine(message) : networkReason(code, message) };
}

function withDetail([, , reason]: (typeof spoken)[number], message: string): string {
  return reason.includes('NOPERM') ? `${reason}: ${firstLine(message)}` : reason;
}

function isProtocolError({ name, message }: Error): boolean {
  return name === 'ParserError' || /^(Protocol error|Unknown RESP type)/.test(message);
}

function networkReason(code: string, message: string): string {
  if (code === 'ECONNREFUSED') return 'it refuses connections (ECONNREFUSED)';
  if (code === 'ECONNRESET' || code === 'EPIPE') return `the connection was reset (${code})`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `its name cannot be resolved (${code})`;
  return message.includes(code) ? firstLine(message) : `${firstLine(message)} (${code})`;
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

function firstLine(message: string): string {
  return (message.split('\n', 1)[0] ?? '').slice(0, 200);
}
