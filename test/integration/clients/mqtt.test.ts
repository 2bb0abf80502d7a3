// mqtt.js and Debian's mosquitto: MQTT over WebSocket through a balancer and over a drain. The two brokers know nothing of
// each other, as they would not without a bridge; what a test needs on both it publishes on both.
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { describe, expect, it, onTestFinished } from 'vitest';
import { anAuthority } from '../../support/authority.ts';
import { aHouseOf, otherThan, type ClientHouse } from '../../support/a-client-house.ts';
import { within } from '../../support/eventually.ts';
import { aConfig } from '../../support/herald-setup.ts';
import { aBalancer } from '../../support/in-process.ts';
import { lacksMosquitto, startMosquitto } from '../../support/mosquitto.ts';
import { until } from '../../support/until.ts';

function connect(port: number, options: IClientOptions = {}): MqttClient {
  const client = mqtt.connect(`ws://127.0.0.1:${port}/mqtt`, { reconnectPeriod: 0, ...options });
  client.on('error', () => {});
  onTestFinished(() => void client.end(true));
  return client;
}

/** A balancer over brokers `a` and `b`, each of which keeps its name under `home`. */
async function aBrokerHouse(): Promise<ClientHouse> {
  const nodes = await Promise.all(
    ['a', 'b'].map(async (id) => {
      const port = await startMosquitto();
      await within(connect(port).publishAsync('home', id, { qos: 1, retain: true }), 'a publication');
      return { id, address: `127.0.0.1:${port}` };
    }),
  );
  return aHouseOf(nodes);
}

/** Keeps what comes on each topic. */
function listen(client: MqttClient): (topic: string) => string[] {
  const heard = new Map<string, string[]>();
  const on = (topic: string) => heard.get(topic) ?? heard.set(topic, []).get(topic) ?? [];
  client.on('message', (topic, payload) => void on(topic).push(payload.toString()));
  return on;
}

/** Has a client hear what it publishes itself: many short messages and a large one. */
async function hearsAll(client: MqttClient): Promise<void> {
  const on = listen(client);
  await within(client.subscribeAsync(['numbers', 'large'], { qos: 1 }), 'a subscription');
  const sent = Array.from({ length: 300 }, (_, index) => `${index}`);
  // Behind many others this mosquitto loses messages of several hundred KB by itself, without a balancer, too.
  const large = 'grüße '.repeat(10_000);
  const publications = sent.map((number) => client.publishAsync('numbers', number, { qos: 1 }));
  publications.push(client.publishAsync('large', large, { qos: 1 }));
  await within(Promise.all(publications), 'publications');
  await until(
    () => on('numbers').length === sent.length && on('large').length === 1,
    () => `${on('numbers').length} numbers, ${on('large').length} large`,
  );
  expect(on('numbers')).toEqual(sent);
  expect(on('large')).toEqual([large]);
  await within(client.endAsync(), 'an end');
}

describe.skipIf(lacksMosquitto)('mqtt.js (skipped: mosquitto is not there)', () => {
  it('publishes and hears in order, whole, by versions 3.1.1 and 5', async () => {
    const { port } = await aBrokerHouse();
    for (const protocolVersion of [4, 5] as const) await hearsAll(connect(port, { protocolVersion }));
  });

  it('speaks MQTT itself over TLS, which a listener for raw TCP ends', async () => {
    const authority = anAuthority();
    const { cert, key } = authority.issue('local', ['DNS:localhost']);
    const broker = await startMosquitto('mqtt');
    const balancer = await aBalancer({
      config: aConfig({
        listeners: [
          {
            name: 'mqtts',
            bind: '127.0.0.1:0',
            protocol: 'tcp',
            pool: 'chat',
            tls: { certificates: [{ cert, key }] },
          },
        ],
      }),
      pools: { chat: { policy: 'chat', nodes: [{ id: 'a', address: `127.0.0.1:${broker}` }] } },
    });
    const client = mqtt.connect({
      protocol: 'mqtts',
      host: '127.0.0.1',
      servername: 'localhost',
      port: balancer.listenerPort('mqtts'),
      ca: authority.caPem,
      // As clients do where port 443 serves many protocols: a listener that serves one has nothing to say to it.
      ALPNProtocols: ['mqtt'],
      reconnectPeriod: 0,
    });
    client.on('error', () => {});
    onTestFinished(() => void client.end(true));
    await hearsAll(client);
    expect(balancer.dataPlane.connections('chat').kind.every((kind) => kind === 'tcp')).toBe(true);
  });

  it('connects and subscribes again on another broker after the goodbye of a drain', async () => {
    const { port, drain, openOn } = await aBrokerHouse();
    const client = connect(port, { reconnectPeriod: 100, keepalive: 1 });
    const on = listen(client);
    let closes = 0;
    client.on('close', () => (closes += 1));
    await within(client.subscribeAsync(['home', 'news'], { qos: 1 }), 'a subscription');
    await until(
      () => on('home').length === 1,
      () => 'no home',
    );
    const home = on('home')[0] ?? '';
    const next = otherThan(home);
    await drain(home);
    await until(
      () => on('home').length === 2,
      () => JSON.stringify(on('home')),
    );
    await within(client.publishAsync('news', 'still here', { qos: 1 }), 'a publication');
    await until(
      () => on('news').length === 1,
      () => 'no news',
    );
    expect(on('home')).toEqual([home, next]);
    expect(closes).toBe(1);
    expect([openOn(home), openOn(next)]).toEqual([0, 1]);
  });
});
