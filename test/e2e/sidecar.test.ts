// `herald agent` as its operators meet it: starting, refusing, reloading, ending, and what it says of all that.
import { writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, connect } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startStubBalancer, status, type StubBalancer } from '../integration/agent/stub-balancer.ts';
import { eventually } from '../support/eventually.ts';
import { runCommand } from '../support/herald-command.ts';
import { aHerald } from '../support/herald-process.ts';
import { aPolicy } from '../support/herald-setup.ts';
import { aSidecar, anAgentFile, writeAgentFile } from '../support/sidecar-process.ts';

async function aStub(): Promise<StubBalancer> {
  const stub = await startStubBalancer();
  onTestFinished(() => stub.close());
  return stub;
}

/** A TCP server in this process; answers its port. */
async function aServer(): Promise<number> {
  const server = createServer((socket) => void socket.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  // Proof of `as`: bound to a TCP port.
  return (server.address() as AddressInfo).port;
}

describe('herald agent', () => {
  it('reports what it measures of a process that listens at a port, with its connections', async () => {
    const stub = await aStub();
    const port = await aServer();
    const client = connect(port, '127.0.0.1');
    await once(client, 'connect');
    onTestFinished(() => void client.destroy());
    const measure = { process: { port } };
    const sidecar = aSidecar(anAgentFile({ balancers: [stub.url], node: { id: 'a', port }, measure }));
    const report = await stub.until(({ signals, connections }) => 'cpu' in signals && connections === 1);
    expect(report).toMatchObject({ pool: 'chat', node: { id: 'a', port }, leaving: false });
    expect(report.signals['memory']).toBeGreaterThan(0);
    // They are the application's: this process has an event loop of its own.
    expect(report.signals).not.toHaveProperty('eventLoopLag');
    await sidecar.logged({ msg: 'reporting' });
    sidecar.signal('SIGTERM');
    expect(await sidecar.ended()).toMatchObject({ code: 0, signal: null, stderr: '' });
    expect(stub.reports.at(-1)).toMatchObject({ leaving: true });
    expect(sidecar.logs.at(-1)).toMatchObject({ msg: 'stopped' });
  });

  it('shows once what it would report, what is missing and why, and sends nothing', async () => {
    const stub = await aStub();
    const port = await aServer();
    const folder = writeAgentFile(
      anAgentFile({
        balancers: [stub.url],
        node: { id: 'a', port },
        measure: { process: { port: 1 } },
        signals: { depth: { file: { path: './depth' } }, gone: { file: { path: './gone' } } },
      }),
      { files: { depth: '7\n' } },
    );
    const table = await runCommand(['agent', '--once'], { cwd: folder });
    expect([table.code, table.stderr]).toEqual([0, '']);
    expect(table.stdout).toMatch(/^node a of pool chat at port \d+ · connections not counted$/m);
    expect(table.stdout).toMatch(/^depth +7$/m);
    expect(table.stdout).toMatch(/^cpu +missing: nobody listens at TCP port 1 here$/m);
    expect(table.stdout).toMatch(/^gone +missing: .*gone.*$/m);
    const json = await runCommand(['agent', '--once', '-o', 'json'], { cwd: folder });
    expect(JSON.parse(json.stdout)).toMatchObject({
      report: { pool: 'chat', node: { id: 'a', port }, signals: { custom: { depth: 7 } } },
      missing: { cpu: 'nobody listens at TCP port 1 here' },
    });
    expect(stub.reports).toEqual([]);
  });

  it('lists every problem of its file, and ends with 1', async () => {
    const folder = writeAgentFile(
      'apiVersion: herald/v1\nkind: Agent\nnode: { id: a }\nmeasure: hots\nfoo: 1\ntokenFile: ./gone\n' +
        'signals:\n  q: { json: { url: "http://evil.example/" } }\n',
    );
    const { code, stdout, stderr } = await runCommand(['agent'], { cwd: folder });
    expect([code, stdout]).toEqual([1, '']);
    for (const place of [
      '3:7 node',
      '4:10 measure',
      '5:1 foo',
      '6:12 tokenFile',
      '8:21 signals.q.json.url',
      'pool',
    ])
      expect(stderr).toContain(`agent.yaml:${place}`.replace('agent.yaml:pool', ' pool: is missing'));
    expect(stderr).toContain('[HERALD_CONFIG_INVALID]');
    const checked = await runCommand(['policy', 'check', 'agent.yaml'], { cwd: folder });
    expect([checked.code, checked.stderr.split('\n').length]).toEqual([1, stderr.split('\n').length]);
  });

  it('without a configuration says how to make one, and takes one from the environment', async () => {
    const folder = writeAgentFile(anAgentFile({ balancers: ['http://127.0.0.1:1'], node: { port: 1 } }));
    const none = await runCommand(['agent'], { cwd: '/' });
    expect([none.code, none.stdout]).toEqual([1, '']);
    expect(none.stderr).toContain('kind: Agent');
    const env = {
      HERALD_AGENT_CONFIG: join(folder, 'agent.yaml'),
      HERALD_NODE_ID: 'from-env',
      HERALD_NODE_PORT: '81',
    };
    const found = await runCommand(['agent', '--once', '-o', 'json'], { cwd: '/', env });
    expect(JSON.parse(found.stdout)).toMatchObject({ report: { node: { id: 'from-env', port: 81 } } });
    const named = await runCommand(['agent', '--once'], {
      cwd: folder,
      env: { HERALD_NODE_PORT: 'eighty', HERALD_NODE_PROT: '1' },
    });
    expect(named.stderr).toContain('HERALD_NODE_PORT node.port: expected a');
    expect(named.code).toBe(1);
  });

  it('takes a new file on SIGHUP and keeps its epoch, and refuses one with problems', async () => {
    const stub = await aStub();
    const port = await aServer();
    const file = { balancers: [stub.url], node: { id: 'a', port }, measure: 'host' };
    const sidecar = aSidecar(anAgentFile(file), { files: { depth: '7\n' } });
    const first = await stub.until(({ signals }) => 'cpu' in signals);
    const signals = { depth: { file: { path: './depth' } } };
    sidecar.write(anAgentFile({ ...file, signals }));
    sidecar.signal('SIGHUP');
    await sidecar.logged({ msg: 'configuration reloaded' });
    const second = await stub.until((report) => report.signals['depth'] === 7);
    expect(second.epoch).toBe(first.epoch);
    const before = sidecar.logs.length;
    sidecar.write('kind: Agent\n');
    sidecar.signal('SIGHUP');
    const refusal = await sidecar.logged({ msg: 'configuration refused: the old one goes on' }, before);
    expect(refusal['problems']).toContain('agent.yaml:1:1 apiVersion: is missing');
    await stub.until((report) => report.signals['depth'] === 7 && report.seq > second.seq + 2);
    sidecar.write(anAgentFile({ ...file, node: { id: 'b', port } }));
    sidecar.signal('SIGHUP');
    await sidecar.logged({ msg: 'configuration reloaded' }, before + 1);
    const other = await stub.until(({ node }) => node.id === 'b');
    expect(other.epoch).not.toBe(first.epoch);
    expect(stub.reports.filter(({ leaving }) => leaving).map(({ node }) => node.id)).toEqual(['a']);
  });
});

describe('a sidecar and its balancers', () => {
  it('says once what is wrong with a token, an id of another, and a balancer that is not there', async () => {
    const herald = await aHerald({
      files: { 'secrets/fleet': 'fleet-secret-0123456789\n' },
      config: {
        intake: {
          bind: '127.0.0.1:0',
          register: { from: ['127.0.0.0/8'] },
          tokens: [{ name: 'fleet', role: 'report', tokenFile: './secrets/fleet' }],
        },
      },
      policies: { chat: aPolicy({ signals: { cpu: { saturation: '80%' } } }) },
    });
    const [one, two] = [await aServer(), await aServer()];
    const agent = (port: number, more: object) =>
      anAgentFile({ balancers: [herald.intakeUrl], node: { id: 'a', port }, measure: 'host', ...more });
    const wrong = aSidecar(agent(one, { tokenFile: './token' }), {
      files: { token: 'some-other-secret-0123' },
    });
    const refused = await wrong.logged({ msg: 'reports are not taken' });
    expect(refused['code']).toBe('HERALD_TOKEN_INVALID');
    const right = aSidecar(agent(one, { tokenFile: './token' }), {
      files: { token: 'fleet-secret-0123456789\n' },
    });
    await right.logged({ msg: 'reporting' });
    await herald.eligible('a');
    const second = aSidecar(agent(two, { tokenFile: './token' }), {
      files: { token: 'fleet-secret-0123456789' },
    });
    const taken = await second.logged({ msg: 'reports are not taken' });
    expect(taken['code']).toBe('HERALD_NODE_ID_TAKEN');
    expect(taken['reason']).toContain(`reports it at 127.0.0.1:${one} and still does`);
    const renamed = aSidecar(agent(one, { node: { id: 'b', port: one }, tokenFile: './token' }), {
      files: { token: 'fleet-secret-0123456789' },
    });
    const elsewhere = await renamed.logged({ msg: 'reports are not taken' });
    expect(elsewhere['code']).toBe('HERALD_NODE_ID_TAKEN');
    expect(elsewhere['reason']).toBe(`node 'b' may not join: 127.0.0.1:${one} is node 'a' already`);
    const lost = aSidecar(
      anAgentFile({ balancers: ['http://127.0.0.1:1'], node: { port: one }, measure: 'host' }),
    );
    expect((await lost.logged({ msg: 'reports are not taken' }))['code']).toBe('ECONNREFUSED');
    // It goes on trying, and says nothing more of it.
    const lines = wrong.logs.filter(({ msg }) => msg === 'reports are not taken');
    expect(lines).toHaveLength(1);
    expect(JSON.stringify([...wrong.logs, ...right.logs])).not.toContain('secret-0123');
  });

  it('logs the operator’s wish and each change of it, and what a balancer answers in its stead', async () => {
    const stub = await aStub();
    const sidecar = aSidecar(anAgentFile({ balancers: [stub.url], node: { port: 81 }, measure: 'host' }));
    await sidecar.logged({ msg: 'admin state changed', adminState: 'ready' });
    stub.answer = (response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"directives":{"adminState":"drain"}}');
    };
    await sidecar.logged({ msg: 'admin state changed', adminState: 'drain' });
    stub.answer = status(500);
    await sidecar.logged({ msg: 'reports are not taken', code: 'HTTP_500' });
  });

  it('is worth a weight to HAProxy without any balancer', async () => {
    const check = await aServer().then((port) => port);
    const sidecar = aSidecar(
      anAgentFile({
        node: { id: 'a', port: check },
        measure: 'host',
        agentCheck: { bind: '127.0.0.1:0', saturation: { memory: '1000%' } },
      }),
    );
    const { address } = await sidecar.logged({ msg: 'agent-check open' });
    const line = await eventually(
      () => asked(Number(String(address).split(':').at(-1))),
      (text) => /^up ready (9\d|100)%\n$/.test(text),
    );
    expect(line).toContain('up ready');
  });
});

async function asked(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data.toString()));
  await once(socket, 'close');
  return text;
}

describe('a sidecar that may not compile at run time', () => {
  it('measures, asks its sources and reports all the same', async () => {
    const stub = await aStub();
    const pages = createHttpServer((_, response) => void response.end('depth 7\n'));
    pages.listen(0, '127.0.0.1');
    await once(pages, 'listening');
    onTestFinished(() => void pages.close().closeAllConnections());
    // Proof of `as`: bound to a TCP port.
    const { port } = pages.address() as AddressInfo;
    const file = anAgentFile({
      balancers: [stub.url],
      node: { port },
      measure: { process: { port } },
      statsd: { bind: '127.0.0.1:0' },
      signals: {
        depth: { prometheus: { url: `http://127.0.0.1:${port}/`, selector: 'depth' } },
        calls: { statsd: { name: 'calls' } },
      },
    });
    // What loads WebAssembly ends the process here, on one version of Node or another.
    const sidecar = aSidecar(file, { env: { NODE_OPTIONS: '--jitless' } });
    await stub.until(({ signals }) => 'cpu' in signals && signals['depth'] === 7);
    sidecar.signal('SIGTERM');
    expect((await sidecar.ended()).code).toBe(0);
  });
});

describe('a process that is measured', () => {
  it('is missing with a reason until its pid file names one, and again when it has ended', async () => {
    const stub = await aStub();
    const sidecar = aSidecar(
      anAgentFile({
        balancers: [stub.url],
        node: { port: 81 },
        measure: { process: { pidFile: './app.pid' } },
      }),
      { files: { 'app.pid': 'nonsense\n' } },
    );
    const missing = await sidecar.logged({ msg: 'signal missing', signal: 'cpu' });
    expect(missing['reason']).toContain('does not hold a process id');
    writeFileSync(join(sidecar.folder, 'app.pid'), `${process.pid}\n`);
    await stub.until(({ signals }) => 'cpu' in signals && 'memory' in signals);
    writeFileSync(join(sidecar.folder, 'app.pid'), '4194303\n');
    await stub.until(({ signals }) => !('cpu' in signals) && !('memory' in signals));
  });
});
