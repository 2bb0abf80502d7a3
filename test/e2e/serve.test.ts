// How `herald serve` begins and ends: what it refuses to start from, and what a signal does to open connections.
import { rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { anAgentNode, anEchoNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { runCommand } from '../support/herald-command.ts';
import { aHerald } from '../support/herald-process.ts';
import { aConfig, writeSetup, type HeraldSetup } from '../support/herald-setup.ts';
import { aFolder } from '../integration/platform/folder.ts';
import { RawClient, upgradeText } from '../support/raw-client.ts';
import { until } from '../support/until.ts';
import { connectWs } from '../support/ws-client.ts';

/** Runs `serve` on what cannot be served. */
function serveOn(setup: HeraldSetup): ReturnType<typeof runCommand> {
  const folder = writeSetup(setup);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return runCommand(['serve', '-c', 'herald.yaml'], { cwd: folder });
}

describe('herald serve', () => {
  it('lists every problem of its configuration and policies with file, line and column, and ends with 1', async () => {
    const { code, stdout, stderr } = await serveOn({
      files: {
        'herald.yaml':
          'apiVersion: herald/v1\nkind: Config\nlisteners: [{ bind: "127.0.0.1:99999" }]\nadmin: { soket: x }\n' +
          'pools:\n  chat: { policy: chat }\n  games: { policy: gmes }\n',
      },
      policies: {
        chat: 'apiVersion: herald/v1\nkind: Policy\nname: chat\nplace: { maxShare: 0.5 }\n',
        games: 'apiVersion: herald/v1\nkind: Policy\nname: games\n',
      },
    });
    expect([code, stdout]).toEqual([1, '']);
    for (const place of [
      'herald.yaml:3:21 listeners[0].bind',
      'herald.yaml:4:10 admin.soket',
      'herald.yaml:7:20 pools.games.policy',
      'policies/chat.yaml:4:20 place.maxShare',
    ])
      expect(stderr).toContain(place);
    expect(stderr).toContain('[HERALD_CONFIG_INVALID]');
    expect(stderr).not.toMatch(/^ +at /m);
  });

  it('without a configuration says how to make one', async () => {
    const named = await runCommand(['serve', '-c', 'gone.yaml'], { cwd: aFolder() });
    expect([named.code, named.stdout]).toEqual([1, '']);
    expect(named.stderr).toContain('gone.yaml: does not exist');
    const none = await runCommand(['serve'], { cwd: aFolder() });
    expect([none.code, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toContain('kind: Config');
  });

  for (const which of ['listeners', 'intake']) {
    it(`on a port in use by another says so for ${which}, and ends with 1`, async () => {
      const taken = createServer();
      await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void taken.close());
      // Proof of `as`: bound to a TCP port.
      const { port } = taken.address() as AddressInfo;
      const bind = `127.0.0.1:${port}`;
      const config = which === 'intake' ? { intake: { bind } } : { listeners: [{ name: 'public', bind }] };
      const { code, stderr } = await serveOn({ config });
      expect(code).toBe(1);
      expect(stderr).toContain('[HERALD_LISTEN_FAILED]');
      expect(stderr).toContain(String(port));
      expect(stderr.trim().split('\n')).toHaveLength(1);
    });
  }

  it('does not take the admin socket of a running balancer, and takes that of a dead one', async () => {
    const first = await aHerald();
    const second = await serveOn({ config: { admin: { socket: first.socketPath } } });
    expect(second.code).toBe(1);
    expect(second.stderr).toContain('is Herald running already?');
    expect(second.stderr).toContain('[HERALD_LISTEN_FAILED]');
    expect((await first.cli('status')).code).toBe(0);
    // `restart` kills it: the socket's file stays behind.
    await first.restart();
    expect((await first.cli('status')).code).toBe(0);
  });

  it('takes its log level from the environment, and warns of variables that mean nothing', async () => {
    const herald = await aHerald({
      config: { log: { level: 'silent' } },
      env: { HERALD_LOG_LEVEL: 'info', HERALD_NONSENSE: '1' },
    });
    const warnings = herald.logs.filter(({ level }) => level === 40).map(({ msg }) => msg);
    expect(warnings).toEqual([expect.stringContaining('HERALD_NONSENSE')]);
  });
});

describe('SIGTERM', () => {
  it('stops accepting, says goodbye to every WebSocket, and ends with 0 when they have gone', async () => {
    const herald = await aHerald({ graceSeconds: 600 });
    await anEchoNode('a', herald.intakeUrl);
    await herald.eligible('a');
    const clients = await Promise.all(
      Array.from({ length: 60 }, (_, i) => connectWs(herald.publicPort, { perMessageDeflate: i % 2 === 0 })),
    );
    herald.signal('SIGTERM');
    await herald.logged('stopping');
    await eventually(
      () => fetch(`http://127.0.0.1:${herald.publicPort}/`).then(() => 'answered', codeOf),
      (outcome) => outcome === 'ECONNREFUSED',
    );
    const ready = await fetch(`${herald.intakeUrl}/readyz`);
    expect([ready.status, await ready.json()]).toEqual([503, expect.objectContaining({ ready: false })]);
    for (const client of clients) {
      const { code, reason } = await client.close();
      expect([code, reason.replace(/\d{4}$/, 'N')]).toEqual([1012, 'reconnect retry-ms=N']);
    }
    expect(await herald.ended()).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(herald.logs.at(-1)).toMatchObject({ msg: 'stopped', closed: 60, refusedByPeer: 0, cut: 0 });
  });

  it('ends event streams with the time to come back', async () => {
    const herald = await aHerald({ graceSeconds: 600 });
    await anAgentNode('a', herald.intakeUrl, {
      handle: (_request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/event-stream' });
        response.write('data: 1\n\n');
      },
    });
    await herald.eligible('a');
    const client = new RawClient(herald.publicPort).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.heard('data: 1\n\n');
    herald.signal('SIGTERM');
    expect(await client.over()).toMatch(/retry: \d{4}\n\n\r\n0\r\n\r\n$/);
    expect(await herald.ended()).toMatchObject({ code: 0, signal: null });
    expect(herald.logs.at(-1)).toMatchObject({ msg: 'stopped', closed: 1, cut: 0 });
  });

  it('waits for an answer that is under way', async () => {
    const herald = await aHerald({ graceSeconds: 30 });
    let finish = () => {};
    await anAgentNode('a', herald.intakeUrl, {
      handle: (_request, response) => {
        response.write('half,');
        finish = () => response.end('whole');
      },
    });
    await herald.eligible('a');
    const client = new RawClient(herald.publicPort).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.heard('half,');
    herald.signal('SIGTERM');
    await herald.logged('stopping');
    finish();
    expect(await client.over()).toContain('whole');
    expect(await herald.ended()).toMatchObject({ code: 0, signal: null });
  });

  it('ends a client that does not answer when the grace is over, and says so', async () => {
    const herald = await aHerald({ graceSeconds: 1 });
    await anEchoNode('a', herald.intakeUrl);
    await herald.eligible('a');
    const client = new RawClient(herald.publicPort).send(upgradeText());
    await client.heard('101 Switching Protocols');
    herald.signal('SIGTERM');
    await client.heard('reconnect retry-ms=');
    expect(await herald.ended()).toMatchObject({ code: 0, signal: null });
    const stopped = await herald.logged('stopped');
    // Its own deadline and the end of the grace are the same instant: either may come first.
    expect([stopped['closed'], Number(stopped['refusedByPeer']) + Number(stopped['cut'])]).toEqual([0, 1]);
    await client.over();
  });

  it('given a second time ends it at once, although connections are open', async () => {
    const herald = await aHerald({ graceSeconds: 600 });
    await anEchoNode('a', herald.intakeUrl);
    await herald.eligible('a');
    const client = new RawClient(herald.publicPort).send(upgradeText());
    await client.heard('101 Switching Protocols');
    herald.signal('SIGTERM');
    await client.heard('reconnect retry-ms=');
    herald.signal('SIGTERM');
    expect((await herald.ended()).signal).toBe('SIGTERM');
    await client.over();
    await until(
      () => !isAlive(herald.pid),
      () => 'the process is still there',
    );
  });

  it('is the same as SIGINT, and leaves neither process nor socket file', async () => {
    const herald = await aHerald();
    herald.signal('SIGINT');
    expect(await herald.ended()).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(isAlive(herald.pid)).toBe(false);
    const left = await runCommand(['status', '-s', herald.socketPath]);
    expect(left.stderr).toContain('there is no such socket');
  });

  it('ends idle keep-alive connections without waiting for the grace', async () => {
    const herald = await aHerald({ graceSeconds: 600 });
    await anAgentNode('a', herald.intakeUrl, { handle: (_request, response) => void response.end('ok') });
    await herald.eligible('a');
    const client = new RawClient(herald.publicPort).send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.heard('ok');
    const silent = new RawClient(herald.publicPort);
    herald.signal('SIGTERM');
    expect(await herald.ended()).toMatchObject({ code: 0, signal: null });
    await client.over();
    await silent.over();
  });
});

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : String(error);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('a configuration for all addresses', () => {
  it('is served on IPv4 and tells its address in the log', async () => {
    const herald = await aHerald({ config: aConfig({ listeners: [{ name: 'public', bind: '0.0.0.0:0' }] }) });
    const line = herald.logs.find(({ msg, listener }) => msg === 'listening' && listener === 'public');
    expect(line).toMatchObject({ host: '0.0.0.0', port: herald.publicPort });
    expect((await fetch(`http://127.0.0.1:${herald.publicPort}/`)).status).toBe(503);
  });
});
