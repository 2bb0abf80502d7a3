// From the text of herald.yaml to a Config. What lies in other files (policies, secrets) is the caller's to read.
import { compileAsg } from './compile-asg.ts';
import { compileAccessLog, compileForwarding } from './compile-telling.ts';
import { compileDriver, compileWebhook, outputFilesOf, type OutputFiles } from './compile-outputs.ts';
import { checkConfig } from './config-checks.ts';
import { configSchema, type ConfigDocument } from './config-schema.ts';
import { compileRedis, stateFiles, type StateFile } from './compile-state.ts';
import { besideSocket, compileListener, compilePool, linkTlsFiles } from './compile-links.ts';
import type { AdminTcpConfig, Config, TlsConfig, TokenConfig } from './config.ts';
import { deepFreeze } from './deep-freeze.ts';
import { overrideFromEnvironment, type Environment } from './environment.ts';
import type { Path, Problem } from './problem.ts';
import { warnOfOutputs } from './output-checks.ts';
import { warnOfRoutes } from './route-checks.ts';
import { isMapping, readDocument } from './read-document.ts';
import { parseYaml, type Source } from './yaml-document.ts';

/** What came of one config file. */
export interface ConfigReading {
  /** Undefined when the text could not be understood at all. */
  readonly source: Source | undefined;
  /** Sections that are sound by themselves. */
  readonly sections: Partial<ConfigDocument>;
  /** Undefined when there are problems. */
  readonly document: ConfigDocument | undefined;
  readonly problems: readonly Problem[];
  /** One line each; they stop nothing. */
  readonly warnings: readonly string[];
  /** False when `policies` was left to its default, whose directory need not exist. */
  readonly namesPolicies: boolean;
  readonly tokenFiles: readonly { readonly path: Path; readonly tokenFile: string }[];
  readonly tlsFiles: readonly TlsFiles[];
  readonly outputFiles: OutputFiles;
  readonly stateFiles: readonly StateFile[];
}

/** The files of one `tls`, or of a part of it, as written. `cert` and `key` come together. */
export interface TlsFiles {
  readonly path: Path;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly clientCa?: string | undefined;
  readonly ca?: string | undefined;
  /** The listener whose clients choose among certificates by name; absent: there is one only. */
  readonly listener?: number;
}

/** Reads the text of a config file; never throws. */
export function readConfig(file: string, text: string, environment: Environment): ConfigReading {
  const parsed = parseYaml(file, text);
  if (parsed.source === undefined) {
    const { problems } = parsed;
    return {
      source: undefined,
      sections: {},
      document: undefined,
      problems,
      warnings: [],
      namesPolicies: false,
      tokenFiles: [],
      tlsFiles: [],
      outputFiles: { secretFiles: [], caFiles: [], programs: [] },
      stateFiles: [],
    };
  }
  const { source, warnings } = overrideFromEnvironment(parsed.source, environment);
  const { value, sections, problems: found } = readDocument(source, 'Config', configSchema);
  const problems = [...parsed.problems, ...found, ...checkConfig(source, sections)];
  return {
    source,
    sections,
    document: problems.length === 0 ? value : undefined,
    problems,
    warnings: [...warnings, ...warnOfOutputs(source, sections), ...warnOfRoutes(source, sections)],
    namesPolicies: isMapping(source.data) && source.data['policies'] !== undefined,
    tokenFiles: (['intake', 'admin'] as const).flatMap((section) =>
      (sections[section]?.tokens ?? []).flatMap(({ tokenFile }, index) =>
        tokenFile === undefined ? [] : [{ path: [section, 'tokens', index, 'tokenFile'], tokenFile }],
      ),
    ),
    tlsFiles: [
      ...(['intake', 'admin', 'keda'] as const).flatMap((section) => {
        const tls = sections[section]?.tls;
        return tls === undefined ? [] : [{ path: [section, 'tls'], ...tls }];
      }),
      ...linkTlsFiles(sections),
    ],
    outputFiles: outputFilesOf(sections),
    stateFiles: stateFiles(sections.state),
  };
}

/** What a config takes from outside its file. */
export interface Surroundings {
  /** Makes a path of the file absolute. */
  resolvePath(path: string): string;
  /** Secrets by their file as written; complete. */
  readonly secrets: ReadonlyMap<string, string>;
  /** PEM texts by the name of their file as written; complete. */
  readonly pems: ReadonlyMap<string, string>;
  /** What the files of `state` hold, by their name as written; complete. */
  readonly stateTexts: ReadonlyMap<string, string>;
}

/** Compiles a sound document. Frozen. */
export function compileConfig(document: ConfigDocument, surroundings: Surroundings): Config {
  const { resolvePath, secrets, pems } = surroundings;
  const { intake, log } = document;
  return deepFreeze({
    listeners: document.listeners.map((listener) =>
      compileListener(listener, { resolvePath, pems, socket: document.admin.socket }),
    ),
    intake: {
      bind: intake.bind,
      register: { from: intake.register.from, ports: intake.register.ports },
      tokens: intake.tokens.map((token) => compileToken(token, secrets)),
      tls: compileTls(intake.tls, pems),
    },
    admin: {
      socketPath: resolvePath(document.admin.socket),
      tcp: compileAdminTcp(document.admin, surroundings),
    },
    keda: document.keda && { bind: document.keda.bind, tls: compileTls(document.keda.tls, pems) },
    asg: compileAsg(document.asg, surroundings),
    state: {
      kind: document.state.kind,
      file: stateFile(document, resolvePath),
      redis: compileRedis(document.state, surroundings.stateTexts),
    },
    log: { level: log.level, format: log.format },
    relay: { form: document.relay.form, maxWaitingBytes: document.relay.buffered },
    workers: document.workers,
    accessLog: compileAccessLog(document.accessLog, resolvePath),
    forwarding: compileForwarding(document.forwarding),
    // The caller reads every file: '' does not happen.
    affinity: { keys: document.affinity.keyFiles.map((file) => secrets.get(file) ?? '') },
    takeover: { relayForMs: document.takeover.relayFor === 'off' ? Infinity : document.takeover.relayFor },
    policiesDirectory: resolvePath(document.policies),
    pools: Object.entries(document.pools).map(([name, pool]) => compilePool(name, pool, pems)),
    webhooks: document.webhooks.map((webhook) => compileWebhook(webhook, surroundings)),
    drivers: document.drivers.map((driver) => compileDriver(driver, resolvePath)),
  });
}

/** Beside the admin socket by default: that directory is this balancer's own, and it can write there. */
function stateFile(
  { state, admin }: ConfigDocument,
  resolvePath: Surroundings['resolvePath'],
): string | undefined {
  if (state.file === 'off') return undefined;
  return resolvePath(state.file ?? besideSocket(admin.socket, 'herald-state.json'));
}

function compileAdminTcp(
  { bind, hosts, tokens, tls }: ConfigDocument['admin'],
  { secrets, pems }: Surroundings,
): AdminTcpConfig | undefined {
  if (bind === undefined) return undefined;
  return {
    bind,
    hosts,
    tokens: tokens.map((token) => compileToken(token, secrets)),
    tls: compileTls(tls, pems),
  };
}

function compileTls(
  tls: ConfigDocument['intake']['tls'],
  pems: ReadonlyMap<string, string>,
): TlsConfig | undefined {
  if (tls === undefined) return undefined;
  // The caller reads every file: '' does not happen.
  const pemOf = (file: string) => pems.get(file) ?? '';
  const { cert, key, clientCa } = tls;
  return {
    cert: pemOf(cert),
    key: pemOf(key),
    clientCa: clientCa === undefined ? undefined : pemOf(clientCa),
  };
}

function compileToken(
  { name, role, pools, token, tokenFile }: ConfigDocument['intake']['tokens'][number],
  secrets: ReadonlyMap<string, string>,
): TokenConfig {
  // The schema demands one of token and tokenFile, and the caller reads every file: '' does not happen.
  return { name, role, pools: pools ?? 'all', secret: token ?? secrets.get(tokenFile ?? '') ?? '' };
}
