// Which balancer a command asks: the admin socket of one on this machine, or the TCP listener of any.
import { existsSync, readFileSync } from 'node:fs';
import { HeraldError } from '../core/error.ts';
import { findConfigPath, loadConfig } from '../platform/config.ts';
import { usageError } from './flag-values.ts';
import type { CliIo } from './io.ts';

/** Flags that say where the balancer is. */
export interface TargetFlags {
  readonly config?: string;
  readonly socket?: string;
  readonly url?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** A balancer to ask. */
export type AdminTarget =
  | { readonly kind: 'socket'; readonly socketPath: string }
  | {
      readonly kind: 'url';
      /** Scheme, host and port. */
      readonly origin: string;
      /** Sent as a bearer token; undefined: none is sent. Never shown. */
      readonly token: string | undefined;
      readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string };
    };

/** The target that flags and environment mean; flags come first. HERALD_USAGE, HERALD_UNREACHABLE. */
export async function findTarget(flags: TargetFlags, io: CliIo): Promise<AdminTarget> {
  const env = (name: string) => io.env[name] || undefined;
  if (flags.socket !== undefined && flags.url !== undefined)
    throw usageError('--socket and --url name two balancers: leave one out');
  const isFlagged = flags.socket !== undefined || flags.url !== undefined;
  const socket = flags.socket ?? (isFlagged ? undefined : env('HERALD_SOCKET'));
  const url = flags.url ?? (isFlagged ? undefined : env('HERALD_URL'));
  if (socket !== undefined && url !== undefined)
    throw usageError('HERALD_SOCKET and HERALD_URL are both set: unset one, or say --socket or --url');
  if (url !== undefined) return urlTarget(url, flags, env('HERALD_TOKEN_FILE'));
  refuseUrlFlags(flags);
  return { kind: 'socket', socketPath: socket ?? (await socketOfConfig(flags, io)) };
}

/** For sentences: `/run/herald.sock`, `https://herald.internal:9402`. */
export function targetName(target: AdminTarget): string {
  return target.kind === 'socket' ? target.socketPath : target.origin;
}

function urlTarget(text: string, flags: TargetFlags, tokenFileOfEnv: string | undefined): AdminTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol))
    throw usageError(`--url takes an address such as https://herald.internal:9402, not '${text}'`);
  if (url.username !== '' || url.password !== '')
    throw usageError('--url takes no user and password: the token comes from --token-file');
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw usageError(`--url takes scheme, host and port alone: ${url.origin}`);
  const tokenFile = flags.tokenFile ?? tokenFileOfEnv;
  const isPlain = url.protocol === 'http:';
  if (isPlain && tokenFile !== undefined && !isLoopback(url.hostname))
    throw usageError(`a token does not go over the network unencrypted: use https for ${url.host}`);
  if ((flags.cert === undefined) !== (flags.key === undefined))
    throw usageError('--cert and --key belong together');
  const files = { ca: flags.ca, cert: flags.cert, key: flags.key };
  const named = Object.entries(files).filter((entry): entry is [string, string] => entry[1] !== undefined);
  if (isPlain && named.length > 0) throw usageError(`--${named[0]?.[0]} goes with an https address`);
  const tls = Object.fromEntries(named.map(([name, path]) => [name, readFile(path, `--${name}`)]));
  return { kind: 'url', origin: url.origin, token: tokenFile && readToken(tokenFile), tls };
}

function refuseUrlFlags(flags: TargetFlags): void {
  const extra = (['tokenFile', 'ca', 'cert', 'key'] as const).find((name) => flags[name] !== undefined);
  if (extra === undefined) return;
  throw usageError(`--${extra === 'tokenFile' ? 'token-file' : extra} goes with --url; a socket needs none`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}

function readToken(path: string): string {
  const token = readFile(path, '--token-file or HERALD_TOKEN_FILE').trim();
  if (/^[\x21-\x7e]+$/.test(token)) return token;
  throw usageError(`${path} holds no token: one line of letters, digits and punctuation is expected`);
}

function readFile(path: string, flag: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
    const message = `${path} cannot be read (${code}): ${flag} names a file`;
    throw new HeraldError('HERALD_CONFIG_UNREADABLE', message, { path }, { cause });
  }
}

async function socketOfConfig({ config }: TargetFlags, io: CliIo): Promise<string> {
  try {
    const loaded = await loadConfig(findConfigPath(config, io.env, existsSync), io.env);
    return loaded.config.admin.socketPath;
  } catch (error) {
    if (!(error instanceof HeraldError) || config !== undefined) throw error;
    const hint = 'name the socket with --socket or HERALD_SOCKET, or the configuration with --config';
    const message = `which balancer? ${hint}. ${error.message}`;
    throw new HeraldError('HERALD_UNREACHABLE', message, {}, { cause: error });
  }
}
