// The sidecar under systemd, by what comes over its socket. A fake one listens in systemd's place.
import { describe, expect, it, onTestFinished } from 'vitest';
import { startStubBalancer } from '../integration/agent/stub-balancer.ts';
import { aFolder } from '../integration/platform/folder.ts';
import { eventually } from '../support/eventually.ts';
import { aManager } from '../support/service-manager.ts';
import { aSidecar, anAgentFile } from '../support/sidecar-process.ts';

describe('a sidecar under systemd', () => {
  it('is ready with the first report that is taken, feeds the watchdog, and says that it stops', async () => {
    const stub = await startStubBalancer();
    onTestFinished(() => stub.close());
    let mayAnswer = false;
    const { answer } = stub;
    stub.answer = (response, request) => {
      if (mayAnswer) answer(response, request);
      else response.writeHead(503).end();
    };
    const { env, states } = await aManager();
    const file = anAgentFile({ balancers: [stub.url], node: { port: 81 }, measure: 'host' });
    const sidecar = aSidecar(file, { env: { ...env, WATCHDOG_USEC: '600000' } });
    await sidecar.logged({ msg: 'reports are not taken' });
    expect(states()).not.toContain('READY=1');
    mayAnswer = true;
    await eventually(states, (text) => text.includes('READY=1') && text.includes('WATCHDOG=1'));
    sidecar.signal('SIGTERM');
    expect((await sidecar.ended()).code).toBe(0);
    await eventually(states, (text) => text.includes('STOPPING=1'));
    expect(sidecar.logs.filter(({ msg }) => msg === 'systemd cannot be told')).toEqual([]);
  });

  it('goes on when systemd-notify is not there, and says so once', async () => {
    const folder = aFolder();
    const agentCheck = { bind: '127.0.0.1:0' };
    const file = anAgentFile({ node: { port: 81 }, measure: 'host', agentCheck });
    const sidecar = aSidecar(file, {
      env: { NOTIFY_SOCKET: '/nowhere', PATH: folder, WATCHDOG_USEC: '200000' },
    });
    const line = await sidecar.logged({ msg: 'systemd cannot be told' });
    expect(line['reason']).toContain('ENOENT');
    sidecar.signal('SIGTERM');
    expect((await sidecar.ended()).code).toBe(0);
    expect(sidecar.logs.filter(({ msg }) => msg === 'systemd cannot be told')).toHaveLength(1);
  });
});
