// Webhooks and drivers in a whole balancer: from herald.yaml to receivers and commands, over restarts and reloads.
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { request } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Balancer } from '../../../src/balancer/balancer.ts';
import { pcg32 } from '../../../src/core/rng.ts';
import { loadConfig } from '../../../src/platform/config.ts';
import { createSilentLogger } from '../../../src/platform/logger.ts';
import type { WebhookEvent } from '../../../src/protocol/webhooks.ts';
import { anEchoNode } from '../../support/agent-node.ts';
import { aFastClock } from '../../support/fast-clock.ts';
import { aConfig, aPolicy, writeSetup, type HeraldSetup } from '../../support/herald-setup.ts';
import { readPage } from '../../support/prometheus-page.ts';
import { until } from '../../support/until.ts';
import { aReceiver, secret } from './a-hook-room.ts';

const speed = 10;

/** A folder with herald.yaml, from which one balancer after the other is started; all end with the test. */
function aHouse(setup: HeraldSetup) {
  const folder = writeSetup(setup);
  const path = join(folder, 'herald.yaml');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    load: () => loadConfig(path, {}),
    async start(): Promise<Balancer> {
      const balancer = new Balancer({
        loaded: await loadConfig(path, {}),
        clock: aFastClock(speed),
        rng: pcg32(1),
        log: createSilentLogger(),
        version: '0.0.0',
      });
      onTestFinished(async () => void (await balancer.stop()));
      await balancer.start();
      return balancer;
    },
  };
}

const problemsOf = async (setup: HeraldSetup): Promise<string> => {
  const { load, folder } = aHouse(setup);
  return load().then(
    () => '',
    (error: unknown) => String(error).replaceAll(`${folder}/`, ''),
  );
};

async function samplesOf(balancer: Balancer): Promise<ReadonlyMap<string, number>> {
  const { body } = await request(`http://127.0.0.1:${balancer.intakePort}/metrics`);
  return readPage(await body.text()).samples;
}

const freeze = (balancer: Balancer, frozen: boolean) =>
  balancer.control.setFrozen('chat', { frozen, why: 'test' }, { by: 'test' });

describe('a balancer with webhooks', () => {
  it('brings after a restart what it could not bring before, in order and under the same ids', async () => {
    let isUp = false;
    const receiver = await aReceiver((response) => response.writeHead(isUp ? 204 : 503).end());
    const webhook = { name: 'ops', url: receiver.url, secretFile: './hook', events: ['freeze.*'] };
    const house = aHouse({ config: aConfig({ webhooks: [webhook] }), files: { hook: `${secret}\n` } });
    const first = await house.start();
    freeze(first, true);
    freeze(first, false);
    await until(
      () => receiver.received.length > 0,
      () => 'nothing has come',
    );
    await first.stop();
    const saved = readFileSync(join(house.folder, 'herald-state.json'), 'utf8');
    expect(saved).toContain('freeze.began');
    expect(saved).not.toContain(secret);
    const before = receiver.received.length;
    isUp = true;
    const second = await house.start();
    freeze(second, true);
    await until(
      () => receiver.received.length === before + 3,
      () => `${receiver.received.length - before} of 3 have come`,
    );
    const events = receiver.received.map(({ body }) => JSON.parse(body) as WebhookEvent);
    expect(events.slice(before).map(({ type }) => type)).toEqual([
      'freeze.began',
      'freeze.ended',
      'freeze.began',
    ]);
    expect(events[before]?.id).toBe(events[0]?.id);
    expect(new Set(events.slice(before).map(({ id }) => id)).size).toBe(3);
    const samples = await samplesOf(second);
    expect(samples.get('herald_webhook_deliveries_total{webhook="ops",outcome="delivered"}')).toBe(3);
    expect(samples.get('herald_webhook_queued{webhook="ops"}')).toBe(0);
  });

  it('sends what waits while it stops, within its grace', async () => {
    const receiver = await aReceiver((response, _, count) =>
      response.writeHead(count === 1 ? 503 : 204).end(),
    );
    const webhook = { name: 'ops', url: receiver.url, secret, events: ['freeze.*'] };
    const balancer = await aHouse({ config: aConfig({ webhooks: [webhook] }) }).start();
    freeze(balancer, true);
    freeze(balancer, false);
    await until(
      () => balancer.outputs.webhooks.list()[0]?.lastFailure !== null,
      () => 'nothing was tried',
    );
    await balancer.stop(60_000);
    const types = receiver.received.map(({ body }) => (JSON.parse(body) as WebhookEvent).type);
    expect(types).toEqual(['freeze.began', 'freeze.began', 'freeze.ended']);
  });

  it('takes another secret over without a restart', async () => {
    const receiver = await aReceiver();
    const webhook = { name: 'ops', url: receiver.url, secret, events: ['freeze.*'] };
    const house = aHouse({ config: aConfig({ webhooks: [webhook] }) });
    const balancer = await house.start();
    const loaded = await house.load();
    const [before] = loaded.config.webhooks;
    const webhooks = before === undefined ? [] : [{ ...before, secrets: ['another-secret-01234', secret] }];
    const { needRestart } = balancer.reconfigure({ ...loaded, config: { ...loaded.config, webhooks } });
    expect(needRestart).toEqual([]);
    freeze(balancer, true);
    await until(
      () => receiver.received.length === 1,
      () => 'nothing has come',
    );
    expect(receiver.received[0]?.headers['herald-signature']).toMatch(
      /^t=\d+,v1=[0-9a-f]{64},v1=[0-9a-f]{64}$/,
    );
  });

  it('is refused with what is wrong with secrets, authorities and programs', async () => {
    const base = { url: 'https://h.example/', events: ['scale.*'] };
    const webhooks = [
      { ...base, name: 'a', secretFile: './missing' },
      { ...base, name: 'b', secretFile: './empty' },
      { ...base, name: 'c', secretFile: './short', formerSecretFile: './good', tls: { ca: './good' } },
    ];
    const drivers = [
      { name: 'd', pools: ['chat'], command: ['./missing'] },
      { name: 'e', pools: ['chat'], command: ['no-such-program'] },
      { name: 'f', pools: ['chat'], command: ['./good'] },
    ];
    const files = { empty: '\n', short: 'short\n', good: 'good-secret-0123456789\n' };
    const shown = await problemsOf({ config: aConfig({ webhooks, drivers }), files });
    expect(shown.split('\n').map((line) => line.replace(/^.*?herald\.yaml:\d+:\d+ /, ''))).toEqual([
      'webhooks[0].secretFile: ./missing: does not exist (a file with the secret and nothing else, such as the output of openssl rand -hex 32)',
      'webhooks[1].secretFile: ./empty: is empty (a file with the secret and nothing else, such as the output of openssl rand -hex 32)',
      'webhooks[2].secretFile: ./short: is too short to be a secret: 16 characters or more (a file with the secret and nothing else, such as the output of openssl rand -hex 32)',
      'webhooks[2].tls.ca: ./good: is no certificate (a PEM file, as openssl writes it)',
      'drivers[0].command[0]: ./missing: does not exist (check the path)',
      'drivers[1].pools: has a pool that drivers[0] has, too (one of them only can start and stop its nodes: name different pools)',
      'drivers[1].command[0]: no-such-program: no program of this name is in PATH () (write its whole path)',
      'drivers[2].pools: has a pool that drivers[0] has, too (one of them only can start and stop its nodes: name different pools)',
      'drivers[2].command[0]: ./good: may not be executed (chmod +x, or check the directories above it)',
    ]);
  });
});

describe('a balancer with a driver', () => {
  it('runs its command when a pool needs nodes, and again when that failed', async () => {
    const script = `#!/bin/sh
test -e ran || { touch ran; echo "no quota" >&2; exit 7; }
printf '%s\\n' "$@" "$HERALD_SCALE_ID" > wish.part
mv wish.part wish
`;
    const command = ['/bin/sh', '-c', 'cd "$1" && shift && exec ./scale.sh "$@"', 'sh'];
    const house = aHouse({ files: { 'scale.sh': script } });
    chmodSync(join(house.folder, 'scale.sh'), 0o755);
    const drivers = [
      { name: 'fleet', command: [...command, house.folder, '{pool}', '{current}', '{desired}'] },
    ];
    const scale = { min: 1, max: 4, startTime: '0s' };
    const policy = aPolicy({ scale, reports: { interval: '1s', blackout: '0s', expiry: '60s' } });
    const other = aHouse({ config: aConfig({ drivers }), policies: { chat: policy } });
    const balancer = await other.start();
    const failures: string[] = [];
    balancer.events.listen(({ type, message }) => void (type === 'scale.failed' && failures.push(message)));
    const node = await anEchoNode('n1', `http://127.0.0.1:${balancer.intakePort}`);
    onTestFinished(() => node.close());
    node.busy = 0.9;
    const wish = join(house.folder, 'wish');
    await until(
      () => existsSync(wish),
      () => `no wish; ${failures.join()}`,
      25_000,
    );
    const [pool, current, desired, id] = readFileSync(wish, 'utf8').trim().split('\n');
    expect([pool, current, desired]).toEqual(['chat', '1', '2']);
    expect(id).toMatch(/^out-/);
    expect(failures[0]).toMatch(/driver 'fleet' failed for pool 'chat': exit code 7; it has said: no quota/);
    await until(
      () => balancer.outputs.figures().drivers[0]?.counts.done === 1,
      () => JSON.stringify(balancer.outputs.figures()),
    );
    const samples = await samplesOf(balancer);
    expect(samples.get('herald_driver_actions_total{driver="fleet",outcome="failed"}')).toBe(1);
    expect(samples.get('herald_driver_actions_total{driver="fleet",outcome="done"}')).toBe(1);
  });
});
