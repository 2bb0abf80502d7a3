// A compiled configuration: what config-schema.ts and compile-config.ts make of herald.yaml. Frozen.
import type { Address } from './address.ts';
import type { Cidr } from './cidr.ts';
import type { ListenerTlsConfig, PoolTlsConfig, SentProxyProtocol, UnixBind } from './listener-config.ts';

/** A public listener: clients connect here. */
export interface ListenerConfig {
  readonly name: string;
  readonly bind: Address | UnixBind;
  readonly protocol: 'http' | 'tcp';
  /** Where a `tcp` listener's connections go, '' for `http`; it exists. */
  readonly pool: string;
  /** Undefined: plain. */
  readonly tls: ListenerTlsConfig | undefined;
  /** Every connection begins with a PROXY header and comes from a trusted source, or through a UNIX socket. */
  readonly takesProxyHeader: boolean;
  readonly timeouts: {
    /** A request head must be complete within this. */
    readonly headMs: number;
    /** A node must have accepted the connection within this. */
    readonly dialMs: number;
    /** A node must have answered an upgrade within this. */
    readonly handshakeMs: number;
    /** A relayed connection that carries nothing for this long is closed; 0 is off. */
    readonly tunnelIdleMs: number;
    /** A client connection without a request, or a request without progress, is closed after this. */
    readonly requestIdleMs: number;
    /** A client connection between two requests is closed after this. */
    readonly keepAliveMs: number;
    /** A client that takes nothing of what waits for it is reset after this; Infinity is off. */
    readonly stallMs: number;
  };
  /** Local addresses to dial nodes from, literals; empty: the kernel chooses. */
  readonly sourceAddresses: readonly string[];
  /** What clients may ask for at most; Infinity is off. */
  readonly limits: {
    /** Client connections open at a time. */
    readonly connections: number;
    /** The same for one client address, of IPv6 a /64. */
    readonly connectionsPerAddress: number;
    /** Length of a request head. */
    readonly headBytes: number;
    /** Length of a request body. */
    readonly bodyBytes: number;
  };
  /** Sources whose X-Forwarded-* headers and PROXY headers are believed; empty: nobody's. */
  readonly trusted: readonly Cidr[];
}

/** What a token allows: `report` to report, `read` to see, `operate` to change. */
type TokenRole = 'report' | 'read' | 'operate';

/** A bearer token. */
export interface TokenConfig {
  readonly name: string;
  readonly role: TokenRole;
  /** Pools that it is good for. */
  readonly pools: 'all' | readonly string[];
  /** The secret itself; never logged. */
  readonly secret: string;
}

/** What TLS needs, as PEM texts. */
export interface TlsConfig {
  readonly cert: string;
  /** Never logged. */
  readonly key: string;
  /** Who must have signed a client's certificate; undefined: clients need none. */
  readonly clientCa: string | undefined;
}

/** The admin API over TCP. */
export interface AdminTcpConfig {
  readonly bind: Address;
  /** In lower case, without port. */
  readonly hosts: readonly string[];
  /** At least one; none has the role `report`. */
  readonly tokens: readonly TokenConfig[];
  /** Undefined on loopback only. */
  readonly tls: TlsConfig | undefined;
}

/** KEDA's external scaler over gRPC. */
export interface KedaConfig {
  readonly bind: Address;
  /** Undefined on loopback only. */
  readonly tls: TlsConfig | undefined;
}

/** How something outside is told: a program without a shell, or signed JSON posted. */
export type AsgCall =
  | { readonly kind: 'command'; readonly command: readonly string[] }
  /** The secret signs it; never logged. */
  | { readonly kind: 'url'; readonly url: string; readonly secret: string };

/** Lifecycle hooks of AWS Auto Scaling. */
export interface AsgConfig {
  /** Names of groups, at least one; `*` at the end stands for the rest. */
  readonly groups: readonly string[];
  /** Has `{instance}` once; `*` at the end stands for the rest. */
  readonly nodes: string;
  /** The heartbeat timeout of the hook. */
  readonly timeoutMs: number;
  /** Undefined: nothing keeps the hook waiting beyond its timeout. */
  readonly heartbeat: AsgCall | undefined;
  readonly complete: AsgCall;
}

/** A node that is always there, report or not. */
export interface StaticNodeConfig {
  readonly id: string;
  readonly address: Address;
  /** Size relative to the other nodes, above 0; undefined: learned. */
  readonly capacity: number | undefined;
  /** '' when none. */
  readonly zone: string;
  /** Connections it takes at most; undefined: no limit. */
  readonly maxConnections: number | undefined;
}

/** Which requests go to a pool. */
interface RouteConfig {
  /** In lower case and ASCII: `*`, `*.example.com`, or a host name without port and final dot. */
  readonly host: string;
  /** In its normal form; starts with `/`. */
  readonly path: string;
  /** What lies below the path does not match. */
  readonly isExact: boolean;
}

/** A pool. */
export interface PoolConfig {
  readonly name: string;
  /** Name of its policy; it exists. */
  readonly policy: string;
  readonly routes: readonly RouteConfig[];
  readonly nodes: readonly StaticNodeConfig[];
  /** Undefined: plain. */
  readonly tls: PoolTlsConfig | undefined;
  readonly proxyProtocol: SentProxyProtocol;
}

/** Somebody who is told of events. */
export interface WebhookConfig {
  readonly name: string;
  /** http or https, without user and password; its query may be a secret. */
  readonly url: string;
  /** One, or two while it is being changed, the new one first; never logged. */
  readonly secrets: readonly string[];
  /** `all`: also what concerns no pool. */
  readonly pools: 'all' | readonly string[];
  /** Types, `operation.*` for all that begin so, `*` for every one; at least one. */
  readonly events: readonly string[];
  readonly timeoutMs: number;
  /** Tries until an event is a dead letter, 1 or more. */
  readonly attempts: number;
  readonly maxAgeMs: number;
  /** Who signs the receiver's certificate, as PEM text; undefined: whom the system trusts. */
  readonly ca: string | undefined;
}

/** What starts and stops nodes by the recommendation. */
export interface DriverConfig {
  readonly name: string;
  readonly kind: 'exec';
  readonly pools: 'all' | readonly string[];
  /** The program, as an absolute path or a name to look up in PATH, and its arguments with placeholders. */
  readonly command: readonly [string, ...string[]];
  readonly timeoutMs: number;
  /** Variables beside those of the process; never logged. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where what peers share is kept, and as whom this one comes. */
export interface RedisConfig {
  readonly servers:
    | { readonly kind: 'single'; readonly address: Address; readonly database: number }
    /** At least one address of a Sentinel. */
    | { readonly kind: 'sentinel'; readonly addresses: readonly Address[]; readonly masterName: string }
    /** At least one address; the others are asked of it. */
    | { readonly kind: 'cluster'; readonly addresses: readonly Address[] };
  /** Undefined: the default user. */
  readonly username: string | undefined;
  /** Never logged. Undefined: none is given. */
  readonly password: string | undefined;
  /** As `username` and `password`, of the Sentinels themselves. */
  readonly sentinelUsername: string | undefined;
  readonly sentinelPassword: string | undefined;
  /** Undefined: plain TCP. PEM texts; undefined `ca`: the authorities that Node knows. `cert` and `key` come together. */
  readonly tls:
    | { readonly ca: string | undefined; readonly cert: string | undefined; readonly key: string | undefined }
    | undefined;
  /** Begins every key and channel, in braces. */
  readonly keyPrefix: string;
  /** Unique among peers; undefined: by chance at each start. */
  readonly peer: string | undefined;
}

/** Which ends of connections and exchanges are logged, and where. */
export interface AccessLogConfig {
  /** Absolute path; undefined: with the other lines of the log. */
  readonly file: string | undefined;
  /** Part of what ends well, 0..1; what ends badly is always logged. */
  readonly sampledPart: number;
  /** `all`: also what no route matches. */
  readonly pools: 'all' | readonly string[];
  readonly withQuery: boolean;
}

/** The settings of one process. Paths are absolute. */
export interface Config {
  /** At least one; names and addresses are unique. */
  readonly listeners: readonly ListenerConfig[];
  readonly intake: {
    readonly bind: Address;
    readonly register: {
      /** Sources that may register nodes by reporting; empty: nobody. */
      readonly from: readonly Cidr[];
      /** Ports that such a node may have; empty: any. */
      readonly ports: readonly number[];
    };
    readonly tokens: readonly TokenConfig[];
    /** Undefined: plain HTTP. */
    readonly tls: TlsConfig | undefined;
  };
  readonly admin: {
    readonly socketPath: string;
    /** Undefined: the socket only. */
    readonly tcp: AdminTcpConfig | undefined;
  };
  /** Undefined: none. */
  readonly keda: KedaConfig | undefined;
  /** Undefined: none. */
  readonly asg: AsgConfig | undefined;
  readonly state: {
    readonly kind: 'memory' | 'redis';
    /** Where what must survive a restart is saved; undefined: nowhere. */
    readonly file: string | undefined;
    /** Undefined where `kind` is `memory`. */
    readonly redis: RedisConfig | undefined;
  };
  readonly log: {
    readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
    /** `auto`: pretty on a terminal, else JSON. */
    readonly format: 'json' | 'pretty' | 'auto';
  };
  readonly relay: {
    /** `auto`: fast where the probe at start passes, else plain. */
    readonly form: 'auto' | 'fast' | 'plain';
    /** Bytes that may wait for slow clients, all tunnels together. */
    readonly maxWaitingBytes: number;
  };
  /** Processes that relay beside the main one; 0: it relays itself; `auto`: one for each processor. */
  readonly workers: number | 'auto';
  /** Undefined: none. */
  readonly accessLog: AccessLogConfig | undefined;
  readonly forwarding: {
    /** Requests get an id, or keep that of a trusted peer. */
    readonly givesRequestId: boolean;
    /** `make`: a request without a sound trace begins one. */
    readonly trace: 'keep' | 'make';
    /** Part of the traces begun here that are marked to be sampled, 0..1. */
    readonly sampledPart: number;
  };
  readonly affinity: {
    /** Keys of cookies: the first signs, all are believed; empty: none are signed. Never logged. */
    readonly keys: readonly string[];
  };
  readonly takeover: {
    /** How long a process that has been replaced relays what it has; Infinity: as long as it takes. */
    readonly relayForMs: number;
  };
  readonly policiesDirectory: string;
  /** At least one, in the order of the file; names are unique. */
  readonly pools: readonly PoolConfig[];
  /** Names are unique. */
  readonly webhooks: readonly WebhookConfig[];
  /** Names are unique; no two have a pool in common. */
  readonly drivers: readonly DriverConfig[];
}
