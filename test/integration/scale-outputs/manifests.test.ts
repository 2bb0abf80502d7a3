// The manifests in config/kubernetes against the Kubernetes and KEDA models of two npm packages, whose types and
// validators are generated from the OpenAPI of Kubernetes and from KEDA's CRDs. They stand in for an API server: what a
// server adds (defaults, admission, immutable fields) is not checked. Agones has no such package: its interface below is
// written by hand from its documentation, trimmed to what the manifest may use.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';

const root = join(import.meta.dirname, '../../..');
const folder = join(root, 'config/kubernetes');

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

const manifests = readdirSync(folder).flatMap((file) =>
  parseAllDocuments(readFileSync(join(folder, file), 'utf8')).map((document) => {
    expect(document.errors).toEqual([]);
    // Proof of the cast: the first test compares both members of each.
    return { file, body: document.toJS() as Manifest };
  }),
);

/** The module of each apiVersion; the class and interface are called by the kind. */
const modules: Readonly<Record<string, string>> = {
  v1: 'kubernetes-models/v1',
  'apps/v1': 'kubernetes-models/apps/v1',
  'autoscaling/v2': 'kubernetes-models/autoscaling/v2',
  'rbac.authorization.k8s.io/v1': 'kubernetes-models/rbac.authorization.k8s.io/v1',
  'keda.sh/v1alpha1': '@kubernetes-models/keda/keda.sh/v1alpha1',
};

const agones = `
interface IFleetAutoscaler {
  apiVersion: 'autoscaling.agones.dev/v1';
  kind: 'FleetAutoscaler';
  metadata: { name: string; namespace?: string };
  spec: {
    fleetName: string;
    policy: { type: 'Webhook'; webhook:
      | { url: string; caBundle?: string }
      | { service: { name: string; namespace?: string; path?: string; port?: number }; caBundle?: string } };
    sync?: { type: 'FixedInterval'; fixedInterval: { seconds: number } };
  };
}`;

const isModelled = ({ apiVersion }: Manifest) => modules[apiVersion] !== undefined;
const load = createRequire(import.meta.url);

it('every manifest is of a kind that is checked here', () => {
  const unknown = manifests.filter(({ body }) => !isModelled(body) && body.kind !== 'FleetAutoscaler');
  expect(unknown).toEqual([]);
  expect(new Set(manifests.map(({ body }) => body.kind))).toEqual(
    new Set([
      'ConfigMap',
      'Deployment',
      'FleetAutoscaler',
      'HorizontalPodAutoscaler',
      'Role',
      'RoleBinding',
      'ScaledObject',
      'Service',
      'ServiceAccount',
      'StatefulSet',
      'TriggerAuthentication',
    ]),
  );
});

describe('the validators of the models', () => {
  /** Throws what is wrong. */
  function validate(body: Manifest): void {
    // Proof of the cast: the package documents its classes so; a class that is missing throws.
    const classes = load(modules[body.apiVersion] ?? '') as Record<
      string,
      new (data: unknown) => { validate(): void }
    >;
    const Model = classes[body.kind];
    if (Model === undefined) throw new Error(`no model of ${body.kind}`);
    new Model(body).validate();
  }

  it.each(manifests.filter(({ body }) => isModelled(body)))('take $body.kind of $file', ({ body }) => {
    expect(() => validate(body)).not.toThrow();
  });

  it('refuse a wrong type', () => {
    const spec = { maxReplicas: '3', scaleTargetRef: { kind: 'Deployment', name: 'x' } };
    const body = { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: {}, spec };
    expect(() => validate(body)).toThrow('maxReplicas must be integer');
  });
});

describe('the compiler', () => {
  let room: string;

  beforeAll(() => {
    room = mkdtempSync(join(tmpdir(), 'herald-manifests-'));
    symlinkSync(join(root, 'node_modules'), join(room, 'node_modules'));
    writeFileSync(join(room, 'package.json'), '{ "type": "module" }');
  });

  afterAll(() => rmSync(room, { recursive: true, force: true }));

  /** What tsc says of manifests written as literals of their types: an unknown key is an error there. */
  function complaints(bodies: readonly Manifest[]): string {
    const lines = bodies.map(({ apiVersion, kind }, index) => {
      const name = modules[apiVersion];
      const type = name === undefined ? 'IFleetAutoscaler' : `import('${name}').I${kind}`;
      return `export const m${index}: ${type} = ${JSON.stringify(bodies[index])};`;
    });
    writeFileSync(join(room, 'manifests.ts'), [agones, ...lines].join('\n'));
    const flags = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
    ];
    const tsc = join(root, 'node_modules/.bin/tsc');
    return spawnSync(tsc, [...flags, 'manifests.ts'], { cwd: room, encoding: 'utf8' }).stdout;
  }

  it('knows every key of every manifest, and misses none', () => {
    expect(complaints(manifests.map(({ body }) => body))).toBe('');
  });

  it('would say of a key that there is not', () => {
    const wrong = manifests
      .map(({ body }) => body)
      .filter(({ kind }) => kind === 'ScaledObject')
      .map((body) => ({ ...body, spec: { scaleTargetRef: { name: 'chat' }, triggers: [], trigers: [] } }));
    expect(complaints(wrong)).toContain('"trigers"\' does not exist');
  });
});

it('the script of the deletion cost is one that node can read', () => {
  const { body } =
    manifests.find(({ body: { kind }, file }) => kind === 'ConfigMap' && file === 'deletion-cost.yaml') ?? {};
  // Proof of the cast: a ConfigMap whose validator has passed.
  const { data = {} } = body as unknown as { data?: Record<string, string> };
  const script = data['deletion-cost.mjs'] ?? '';
  expect(script).toContain('pod-deletion-cost');
  execFileSync(process.execPath, ['--input-type=module', '--check', '-'], { input: script });
});
