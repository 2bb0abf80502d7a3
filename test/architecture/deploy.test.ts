// Reads the examples of how a sidecar is deployed and keeps true what they rely on. It deploys nothing.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readAgent } from '../../src/policy/agent-reading.ts';
import { formatProblem } from '../../src/policy/problem.ts';

const root = join(import.meta.dirname, '../..');
const textOf = (path: string): string => readFileSync(join(root, path), 'utf8');

describe('config/agent.yaml', () => {
  it('is sound', () => {
    const path = 'config/agent.yaml';
    expect(readAgent(path, textOf(path), {}).problems.map(formatProblem)).toEqual([]);
  });
});

interface Container {
  readonly name: string;
  readonly command?: readonly string[];
  readonly env?: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly resources?: unknown;
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Pod {
  readonly shareProcessNamespace?: boolean;
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
}

describe('config/kubernetes/sidecar.yaml', () => {
  // The shape is the API server's to check; what is missing fails here anyway.
  const [map, deployment] = parseAllDocuments(textOf('config/kubernetes/sidecar.yaml')).map(
    (document) => document.toJS() as { data: Record<string, string>; spec: { template: { spec: Pod } } },
  );
  const pod = deployment?.spec.template.spec;
  const agent = pod?.containers.find(({ command }) => command?.[1] === 'agent');

  it('holds an agent.yaml that is sound with the environment of the container', () => {
    const variables = (agent?.env ?? []).map(
      ({ name, value }) => [name, value ?? 'chat-7d9f-abcde'] as const,
    );
    const environment = Object.fromEntries(
      variables.map(([name, value]) => [name, value.replace('$(POD_IP)', '10.0.0.7')]),
    );
    const reading = readAgent('agent.yaml', map?.data['agent.yaml'] ?? '', environment);
    expect(reading.problems.map(formatProblem)).toEqual([]);
    expect(reading.warnings).toEqual([]);
    expect(reading.document?.node).toMatchObject({
      id: 'chat-7d9f-abcde',
      address: { host: '10.0.0.7', port: 8081 },
    });
  });

  it('names the node by its pod, and gives its address', () => {
    const fields = Object.fromEntries(
      (agent?.env ?? []).map(({ name, valueFrom }) => [name, valueFrom?.fieldRef.fieldPath]),
    );
    expect(fields).toMatchObject({ HERALD_NODE_ID: 'metadata.name', POD_IP: 'status.podIP' });
  });

  it('lets the agent see the server’s process, and nothing else', () => {
    expect(pod).toMatchObject({
      shareProcessNamespace: true,
      securityContext: { runAsNonRoot: true, runAsUser: expect.any(Number) },
    });
    expect(agent?.securityContext).toMatchObject({
      readOnlyRootFilesystem: true,
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(agent?.resources).toMatchObject({ requests: { cpu: '10m', memory: '64Mi' } });
  });

  it('mounts what it names', () => {
    const volumes = new Set((pod?.volumes ?? []).map(({ name }) => name));
    const mounts = (agent?.volumeMounts ?? []).map(({ name }) => name);
    expect(mounts.length).toBeGreaterThan(0);
    expect(mounts.filter((name) => !volumes.has(name))).toEqual([]);
  });
});

describe('config/systemd/herald-agent.service', () => {
  const text = textOf('config/systemd/herald-agent.service');
  const settings = new Map(
    [...text.matchAll(/^([A-Z]\w+)=(.*)$/gm)].map(([, key = '', value = '']) => [key, value] as const),
  );

  it('waits for the agent to be ready, lets its helper speak, and reloads by SIGHUP', () => {
    expect(settings.get('Type')).toBe('notify');
    expect(settings.get('NotifyAccess')).toBe('all');
    expect(settings.get('ExecReload')).toBe('/bin/kill -HUP $MAINPID');
    expect(Number(settings.get('WatchdogSec'))).toBeGreaterThan(0);
  });

  it('takes every privilege away, but not what Node and the sensors need', () => {
    expect(Object.fromEntries(settings)).toMatchObject({
      DynamicUser: 'yes',
      CapabilityBoundingSet: '',
      NoNewPrivileges: 'yes',
      ProtectSystem: 'strict',
    });
    // A Node that compiles at run time ends at once under the first; without a compiler it does not.
    expect(settings.get('MemoryDenyWriteExecute')).toBe('yes');
    expect(settings.get('Environment')).toBe('NODE_OPTIONS=--jitless');
    for (const key of ['ProtectProc', 'PrivateNetwork', 'PrivateUsers'])
      expect(settings.has(key), key).toBe(false);
  });
});
