// A real HAProxy that asks a sidecar, which reads a number from a file. Nothing is asserted about time.
import { renameSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Sidecar } from '../../../src/agent/sidecar/sidecar.ts';
import { sidecarParts } from '../../../src/cli/sidecar-parts.ts';
import { createSilentLogger } from '../../../src/platform/logger.ts';
import { createSystemClock } from '../../../src/platform/system-clock.ts';
import type { AgentConfig } from '../../../src/policy/agent-config.ts';
import { readAgent } from '../../../src/policy/agent-reading.ts';
import { compileAgent } from '../../../src/policy/compile-agent.ts';
import { eventually } from '../../support/eventually.ts';
import { aFolder } from '../platform/folder.ts';
import { hasHaproxy, startHaproxy } from '../../support/haproxy.ts';
import { startStubBalancer } from './stub-balancer.ts';
import { expectToObey } from './obey.ts';

function configOf(body: string): AgentConfig {
  const { document, problems } = readAgent('agent.yaml', `apiVersion: herald/v1\nkind: Agent\n${body}`, {});
  if (document === undefined) throw new Error(JSON.stringify(problems));
  return compileAgent(document, { resolvePath: (path) => path, secrets: new Map() });
}

/** A server that HAProxy may check; answers its port. */
async function aServer(): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())));
  // Proof of `as`: bound to a TCP port.
  return (server.address() as AddressInfo).port;
}

/** A sidecar without the process around it, and how its only signal that counts is written: full at 1. */
async function anAskedSidecar(port: number, balancer: string) {
  const path = join(aFolder(), 'busy');
  const write = (busy: number): void => {
    writeFileSync(`${path}.new`, `${busy}\n`);
    renameSync(`${path}.new`, path);
  };
  const io = {
    stdout: process.stdout,
    stderr: process.stderr,
    env: {},
    clock: createSystemClock(),
    signal: new AbortController().signal,
  };
  const sidecar = new Sidecar({ ...sidecarParts(io, createSilentLogger()), onReady: () => {} });
  onTestFinished(() => sidecar.stop());
  write(0.9);
  await sidecar.start(
    configOf(`
pool: chat
balancers: [${balancer}]
node: { id: a, port: ${port} }
interval: 100ms
signals: { busy: { file: { path: '${path}', maxAge: 60s } } }
agentCheck: { bind: '127.0.0.1:0', saturation: { busy: 1 } }
`),
  );
  const address = await eventually(
    () => sidecar.status?.agentCheck?.address,
    (found) => found !== undefined,
  );
  return { sidecar, write, agentPort: Number(address?.split(':').at(-1)) };
}

// Weights take some seconds to settle, by design.
describe.skipIf(!hasHaproxy)(
  'HAProxy that asks a sidecar (skipped: haproxy is not there)',
  { timeout: 90_000 },
  () => {
    it('follows what the application writes and the operator wishes, and keeps the last when it is gone', async () => {
      const balancer = await startStubBalancer();
      onTestFinished(() => balancer.close());
      const port = await aServer();
      const { sidecar, write, agentPort } = await anAskedSidecar(port, balancer.url);
      const haproxy = await startHaproxy('random', [{ name: 'a', port, agentPort }]);
      await haproxy.until('a', 'UP', 10);
      write(0.25);
      await haproxy.until('a', 'UP', 75);
      await expectToObey(balancer, haproxy, { node: 'a', weight: 75 });
      await sidecar.stop();
      const row = await eventually(
        () => haproxy.row('a'),
        (found) => found['agent_status'] === 'L4CON',
      );
      expect(row).toMatchObject({ status: 'UP', weight: '75' });
    });
  },
);
