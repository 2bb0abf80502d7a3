// The files that a balancer under test starts from: herald.yaml and its policies in a directory of their own.
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';

/** What a test wants otherwise than the defaults; objects are written as YAML, texts as they are. */
export interface HeraldSetup {
  /** `pools` of herald.yaml. Default: `chat`, without nodes, under the policy `chat`. */
  readonly pools?: object;
  /** Policy files by name without extension. Default: `chat` with `aPolicy()`. */
  readonly policies?: Readonly<Record<string, object | string>>;
  /** Further keys of herald.yaml, or others in place of the defaults. */
  readonly config?: object;
  /** Files beside herald.yaml. */
  readonly files?: Readonly<Record<string, string>>;
  /** `--grace`, 0 by default. */
  readonly graceSeconds?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A policy that trusts reports at once and checks often, with `changes` to its sections. */
export function aPolicy(changes: object = {}): object {
  return {
    apiVersion: 'herald/v1',
    kind: 'Policy',
    name: 'chat',
    signals: { busy: { saturation: 1, kind: 'additive' } },
    reports: { interval: '100ms', blackout: '0s', expiry: '3s' },
    place: { slowStart: '0s' },
    health: { check: { kind: 'tcp', interval: '300ms', timeout: '300ms', fall: 2, rise: 1 } },
    ...changes,
  };
}

/** A configuration on free ports, with `changes` to its sections. */
export function aConfig(changes: object = {}): object {
  return {
    apiVersion: 'herald/v1',
    kind: 'Config',
    listeners: [{ name: 'public', bind: '127.0.0.1:0' }],
    intake: { bind: '127.0.0.1:0', register: { from: ['127.0.0.0/8'] } },
    admin: { socket: './h.sock' },
    // Workers have tests of their own; most of these are about something else, and start one process instead of three.
    workers: 0,
    pools: { chat: { policy: 'chat' } },
    ...changes,
  };
}

/** Makes a directory with herald.yaml and what belongs to it. Short: a socket's path has 103 bytes at most. */
export function writeSetup({ pools, policies, config, files }: HeraldSetup = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'he-'));
  const written: Record<string, object | string> = {
    'herald.yaml': aConfig({ ...config, ...(pools && { pools }) }),
    ...files,
  };
  for (const [name, policy] of Object.entries(policies ?? { chat: aPolicy() }))
    written[`policies/${name}.yaml`] = policy;
  for (const [name, content] of Object.entries(written)) writeIn(folder, name, content);
  return folder;
}

/** Writes a file of `folder`: an object as YAML, a text as it is. */
export function writeIn(folder: string, name: string, content: object | string): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), typeof content === 'string' ? content : stringify(content));
}
