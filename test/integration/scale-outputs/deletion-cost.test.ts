// The script of config/kubernetes/deletion-cost.yaml, run as the container runs it: against Herald's admin API on its
// socket, and something that answers like the API server of Kubernetes.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { anIdentity } from '../../support/a-node.ts';
import { anOpenRoom, type Room } from '../../support/a-room.ts';
import { aScaling, anUnknownScaling } from '../../support/a-scaling.ts';
import { anAdmin, type RunningAdmin } from '../../support/an-admin.ts';
import { aStubScaleFeed } from '../../support/stub-scale-feed.ts';

const manifest = join(import.meta.dirname, '../../../config/kubernetes/deletion-cost.yaml');
const annotation = 'controller.kubernetes.io/pod-deletion-cost';

let room: Room;
let admin: RunningAdmin;
let folder: string;
const feed = aStubScaleFeed(aScaling());

beforeEach(async () => {
  room = anOpenRoom();
  admin = await anAdmin(room.registry, { scale: feed, stateClock: room.clock });
  for (const id of ['a', 'b', 'c'])
    room.registry.addStatic('chat', anIdentity(id, { host: hosts[id] ?? '' }));
  folder = mkdtempSync(join(tmpdir(), 'herald-cost-'));
  const script = parseAllDocuments(readFileSync(manifest, 'utf8'))
    .map((document): unknown => document.getIn(['data', 'deletion-cost.mjs']))
    .find((found) => found !== undefined);
  writeFileSync(join(folder, 'script.mjs'), String(script));
  writeFileSync(join(folder, 'token'), 'kube-token\n');
});

afterEach(async () => {
  await admin[Symbol.asyncDispose]();
  room.registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

const hosts: Readonly<Record<string, string>> = { a: '10.0.0.1', b: '10.0.0.2', c: '10.0.0.3' };

interface Patch {
  readonly path: string;
  readonly cost: unknown;
}

/** Pods `chat-a` to `chat-c`, and one that is no node. */
async function aKubernetes(costs: Readonly<Record<string, string>> = {}) {
  const patches: Patch[] = [];
  const faults: string[] = [];
  const items = [...Object.entries(hosts), ['x', '10.9.9.9']].map(([id = '', podIP]) => ({
    metadata: {
      name: `chat-${id}`,
      ...(costs[id] !== undefined && { annotations: { [annotation]: costs[id] } }),
    },
    status: { podIP },
  }));
  const server = createServer((incoming, answer) => {
    let text = '';
    incoming.on('data', (chunk: Buffer) => (text += chunk.toString()));
    incoming.on('end', () => {
      if (incoming.headers.authorization !== 'Bearer kube-token') faults.push('token');
      answer.setHeader('content-type', 'application/json');
      if (incoming.method === 'GET') {
        if (incoming.url !== '/api/v1/namespaces/default/pods?labelSelector=app%3Dchat')
          faults.push(incoming.url ?? '');
        return answer.end(JSON.stringify({ items }));
      }
      if (incoming.headers['content-type'] !== 'application/merge-patch+json') faults.push('media type');
      const body = JSON.parse(text) as { metadata: { annotations: Record<string, unknown> } };
      patches.push({ path: incoming.url ?? '', cost: body.metadata.annotations[annotation] });
      return answer.end('{}');
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  // Proof of the cast: it listens on TCP.
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, patches, faults };
}

/** Runs the script once; resolves with what it wrote to stderr. */
function runScript(url: string, socket = admin.socketPath): Promise<string> {
  const child = spawn(process.execPath, [join(folder, 'script.mjs')], {
    env: {
      HERALD_SOCKET: socket,
      POOL: 'chat',
      SELECTOR: 'app=chat',
      NAMESPACE: 'default',
      KUBERNETES_URL: url,
      TOKEN_FILE: join(folder, 'token'),
    },
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  return new Promise((resolve) => {
    child.on('close', () => resolve(errors));
  });
}

const pod = (id: string, cost: string): Patch => ({
  path: `/api/v1/namespaces/default/pods/chat-${id}`,
  cost,
});

it('victims cost less than nothing, the first least; the others as much as they have connections', async () => {
  const victim = { zone: '', connections: 0, reason: 'cheap' };
  feed.say(
    aScaling({
      action: 'in',
      victims: [
        { id: 'b', ...victim },
        { id: 'c', ...victim },
      ],
    }),
  );
  const counters = room.registry.pool('chat').nodes.get('a')?.counters;
  if (counters !== undefined) counters.open = 1234;
  const kubernetes = await aKubernetes();
  expect(await runScript(kubernetes.url)).toBe('');
  expect(kubernetes.patches).toEqual([pod('a', '1200'), pod('b', '-2'), pod('c', '-1')]);
  expect(kubernetes.faults).toEqual([]);
});

it('without load data there are no victims, and what has not changed is not written', async () => {
  feed.say(anUnknownScaling());
  const kubernetes = await aKubernetes({ a: '0', b: '-2' });
  expect(await runScript(kubernetes.url)).toBe('');
  expect(kubernetes.patches).toEqual([pod('b', '0'), pod('c', '0')]);
});

it('says what went wrong and writes nothing where Herald does not answer', async () => {
  const kubernetes = await aKubernetes();
  expect(await runScript(kubernetes.url, join(folder, 'nobody.sock'))).toMatch(/ENOENT/);
  expect(kubernetes.patches).toEqual([]);
});
