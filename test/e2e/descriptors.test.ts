// A balancer that runs out of descriptors: it says so, serves who it has, and goes on when there are some again.
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { aHerald } from '../support/herald-process.ts';
import { RawClient } from '../support/raw-client.ts';
import { until } from '../support/until.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

function openDescriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function limitDescriptors(pid: number, soft: number): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', `${pid}`, `--nofile=${soft}:`], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`prlimit: ${stderr}`);
}

async function aNode(): Promise<number> {
  const server = createServer((_request, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  // Proof of `as`: bound to a TCP port.
  return (server.address() as AddressInfo).port;
}

async function aHeraldWithANode(form: string): Promise<Awaited<ReturnType<typeof aHerald>>> {
  const port = await aNode();
  const pools = { chat: { policy: 'chat', nodes: [{ id: 'a', address: `127.0.0.1:${port}` }] } };
  const herald = await aHerald({ pools, config: { relay: { form } } });
  await herald.eligible('a');
  return herald;
}

async function untilServed(port: number): Promise<void> {
  await eventually(
    () => new RawClient(port).send(get.replace('Host', 'Connection: close\r\nHost')).over(),
    (answer) => answer.endsWith('ok'),
  );
}

it.each(['fast', 'plain'])(
  'with few descriptors left connections are answered, until there are more: %s',
  async (form) => {
    const herald = await aHeraldWithANode(form);
    const first = new RawClient(herald.publicPort).send(get);
    await first.heard('\r\n\r\nok');

    limitDescriptors(herald.pid, openDescriptors(herald.pid) + 40);
    // The balancer looks at its limit once a second.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    const crowd: RawClient[] = [];
    await eventually(
      async () => {
        crowd.push(new RawClient(herald.publicPort), new RawClient(herald.publicPort));
        return crowd.some(({ received }) => received.includes('"code":"HERALD_DESCRIPTORS_SHORT"'));
      },
      (isTold) => isTold,
    );
    expect(openDescriptors(herald.pid)).toBeGreaterThan(20);
    first.send(get);
    await until(
      () => first.received.split('\r\n\r\nok').length === 3,
      () => `the open connection received ${first.received}`,
    );
    const refused = await herald.metrics();
    expect(refused.get('herald_refusals_total{pool="",code="HERALD_DESCRIPTORS_SHORT"}')).toBeGreaterThan(0);
    expect(refused.get('herald_accept_failures_total{code="EMFILE"}') ?? 0).toBe(0);
    await herald.logged('connections are refused: descriptors run short');
    for (const client of crowd) client.socket.destroy();
    await untilServed(herald.publicPort);
    first.socket.destroy();
  },
);

it.each(['fast', 'plain'])(
  'without descriptors connections are not accepted, and nothing else breaks: %s',
  async (form) => {
    const herald = await aHeraldWithANode(form);
    const first = new RawClient(herald.publicPort).send(get);
    await first.heard('\r\n\r\nok');

    limitDescriptors(herald.pid, openDescriptors(herald.pid) + 3);
    const crowd = Array.from({ length: 60 }, () => new RawClient(herald.publicPort));
    await herald.logged('connections are not accepted: no descriptor is left');
    first.send(get);
    await until(
      () => first.received.split('\r\n\r\nok').length === 3,
      () => `the open connection received ${first.received}`,
    );
    for (const client of crowd) client.socket.destroy();

    limitDescriptors(herald.pid, 1_024);
    await untilServed(herald.publicPort);
    const failures = (await herald.metrics()).get('herald_accept_failures_total{code="EMFILE"}') ?? 0;
    expect(failures).toBeGreaterThan(0);
    const lines = herald.logs.filter(({ msg }) => msg.startsWith('connections are not accepted'));
    expect(lines).toHaveLength(1);
    first.socket.destroy();
  },
);
