// A whole balancer with a node that reports: its external scaler and its hooks, from configuration to wire.
import { createServer, type AddressInfo } from 'node:net';
import { request } from 'undici';
import { expect, it, onTestFinished } from 'vitest';
import type { Balancer } from '../../../src/balancer/balancer.ts';
import { aLifecycleEvent } from '../../support/a-lifecycle-event.ts';
import { aReportBody } from '../../support/a-report.ts';
import { eventually } from '../../support/eventually.ts';
import {
  aGrpcClient,
  getMetricsRequest,
  scaledObjectRef,
  type GrpcClient,
} from '../../support/grpc-by-hand.ts';
import { aBalancer } from '../../support/in-process.ts';

const instance = 'i-0123456789abcdef0';
const token = 'operator-secret-0123456789';

async function post(balancer: Balancer, path: string, body: unknown) {
  const answer = await request(`http://127.0.0.1:${balancer.intakePort}${path}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(path === '/v1/reports' ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify(body),
  });
  return { status: answer.statusCode, json: await answer.body.json() };
}

/** Reports and asks for the metric. */
async function askMetric(
  balancer: Balancer,
  client: GrpcClient,
  { port, seq }: { port: number; seq: number },
) {
  const node = { id: instance, port };
  await post(
    balancer,
    '/v1/reports',
    aReportBody({ node, seq, signals: { cpu: 0.5, custom: { busy: 0.5 } } }),
  );
  return client.ask('GetMetrics', getMetricsRequest({ pool: 'chat' }, ''));
}

/** Something that takes connections, as the check of the pool's policy wants. */
async function aListener(): Promise<number> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  // Proof of the cast: it listens on TCP.
  return (server.address() as AddressInfo).port;
}

it('scales by what its nodes report, and drains the one that AWS terminates', async () => {
  const balancer = await aBalancer({
    config: {
      keda: { bind: '127.0.0.1:0' },
      asg: { groups: ['chat-nodes-*'], complete: { command: [process.execPath, '-e', '0'] } },
      intake: {
        bind: '127.0.0.1:0',
        register: { from: ['127.0.0.0/8'] },
        tokens: [{ name: 'aws', role: 'operate', token }],
      },
    },
  });
  await using client = aGrpcClient(`http://127.0.0.1:${balancer.kedaPort}`);
  const metadata = { scalerAddress: 'herald:9403', pool: 'chat' };
  // Nobody has reported: an error, never 0, and yet active.
  const before = await client.ask('GetMetrics', getMetricsRequest(metadata, 'herald_chat'));
  expect([before.status, before.answers]).toEqual([14, []]);
  expect((await client.ask('IsActive', scaledObjectRef(metadata))).answers).toEqual(['0801']);
  const port = await aListener();
  let seq = 0;
  await eventually(
    () => {
      seq += 1;
      return askMetric(balancer, client, { port, seq });
    },
    ({ status }) => status === 0,
  );
  const review = {
    request: { uid: 'u', name: 'chat', namespace: 'd', status: { replicas: 1 } },
    response: null,
  };
  // One node, and the policy's `min` is 2.
  expect(await post(balancer, '/v1/hooks/agones/chat', review)).toMatchObject({
    status: 200,
    json: { response: { uid: 'u', scale: true, replicas: 2 } },
  });
  const taken = await post(balancer, '/v1/hooks/asg', aLifecycleEvent());
  expect(taken).toMatchObject({ status: 202, json: { state: 'draining', nodes: [instance] } });
  expect(balancer.registry.pool('chat').nodes.get(instance)?.adminState).toBe('drain');
  await eventually(
    () => post(balancer, '/v1/hooks/asg', aLifecycleEvent()),
    ({ json }) => JSON.stringify(json).includes('"completed"'),
  );
});

it('has no external scaler where none is configured, and says that the hook of AWS is not there', async () => {
  const balancer = await aBalancer({
    config: {
      intake: { bind: '127.0.0.1:0', tokens: [{ name: 'aws', role: 'operate', token }] },
    },
  });
  expect(balancer.kedaPort).toBe(0);
  expect((await post(balancer, '/v1/hooks/asg', aLifecycleEvent())).status).toBe(501);
});
