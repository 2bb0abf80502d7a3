// The sidecar's way to a balancer, over real connections.
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpSender } from '../../../src/agent/sidecar/http-sender.ts';
import { hang, reset, startStubBalancer, status } from './stub-balancer.ts';

const report = JSON.stringify({
  version: 1,
  pool: 'chat',
  node: { id: 'a', port: 81 },
  epoch: 'e',
  seq: 0,
  ageMs: 0,
  intervalMs: 1000,
  connections: 0,
  signals: {},
});
const never = new AbortController().signal;

async function aLine(token?: string) {
  const stub = await startStubBalancer();
  const sender = createHttpSender(new URL(`${stub.url}/`), token);
  onTestFinished(async () => {
    await sender.close();
    await stub.close();
  });
  return { stub, sender };
}

describe('the HTTP sender', () => {
  it('posts reports over one connection, with the token', async () => {
    const { stub, sender } = await aLine('secret');
    for (let count = 0; count < 3; count += 1) {
      expect(await sender.post(report, never)).toMatchObject({
        status: 200,
        body: expect.stringContaining('ready'),
      });
    }
    expect(stub.authorizations).toEqual(['Bearer secret', 'Bearer secret', 'Bearer secret']);
    expect(await stub.connections()).toBe(1);
  });

  it('answers a refusal as it came, and cuts an endless answer', async () => {
    const { stub, sender } = await aLine();
    stub.answer = status(409, '{"code":"HERALD_NODE_ID_TAKEN"}');
    expect(await sender.post(report, never)).toEqual({
      status: 409,
      body: '{"code":"HERALD_NODE_ID_TAKEN"}',
    });
    stub.answer = (response) => {
      response.on('error', () => {});
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
      };
      response.on('drain', more);
      more();
    };
    expect((await sender.post(report, never)).body).toBe('x'.repeat(65_536));
  });

  it('rejects when nobody answers in time, when the connection breaks, and when nobody listens', async () => {
    const { stub, sender } = await aLine();
    stub.answer = hang;
    const abort = new AbortController();
    const hanging = sender.post(report, abort.signal);
    const refused = expect(hanging).rejects.toMatchObject({ name: 'AbortError' });
    await stub.until(() => true);
    abort.abort();
    await refused;
    stub.answer = reset;
    await expect(sender.post(report, never)).rejects.toMatchObject({ code: 'ECONNRESET' });
    const nobody = createHttpSender(new URL('http://127.0.0.1:1'), undefined);
    await expect(nobody.post(report, never)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await nobody.close();
  });

  it('asks no more when it is closed in the middle of a report', async () => {
    const { stub, sender } = await aLine();
    await sender.post(report, never);
    stub.answer = hang;
    const hanging = expect(sender.post(report, never)).rejects.toMatchObject({ code: 'ECONNRESET' });
    await stub.until(() => stub.reports.length === 2);
    await sender.close();
    await hanging;
    expect(stub.reports).toHaveLength(2);
  });
});
