// Changing a running balancer's files: what takes effect, what is refused, and what it says of it.
import { describe, expect, it } from 'vitest';
import { join } from 'node:path';
import type { PoolSummary } from '../../src/protocol/admin-api.ts';
import { anEchoNode } from '../support/agent-node.ts';
import { eventually } from '../support/eventually.ts';
import { aHerald, type HeraldProcess } from '../support/herald-process.ts';
import { aConfig, aPolicy } from '../support/herald-setup.ts';
import { connectWs } from '../support/ws-client.ts';

async function pickerBecomes(herald: HeraldProcess, picker: string): Promise<void> {
  await eventually(
    () => herald.admin<PoolSummary>('/v1/pools/chat'),
    (pool) => pool.picker === picker,
  );
}

/** The policy of `chat` with this picker. */
function withPicker(picker: string): object {
  return aPolicy({ place: { picker, slowStart: '0s' } });
}

async function reloads(herald: HeraldProcess, outcome: string): Promise<number> {
  return (await herald.metrics()).get(`herald_policy_reloads_total{outcome="${outcome}"}`) ?? 0;
}

describe('a policy file', () => {
  it('that is overwritten changes the picker, as status and explain show', async () => {
    const herald = await aHerald();
    await anEchoNode('a', herald.intakeUrl);
    await herald.eligible('a');
    expect((await herald.admin<PoolSummary>('/v1/pools/chat')).picker).toBe('waterfill');
    herald.write('policies/chat.yaml', withPicker('leastConnections'));
    await pickerBecomes(herald, 'leastConnections');
    const status = JSON.parse((await herald.cli('status', '-o', 'json')).stdout) as {
      pools: object[];
    };
    expect(status.pools[0]).toMatchObject({ picker: 'leastConnections' });
    const explained = JSON.parse((await herald.cli('explain', 'chat', '-o', 'json')).stdout) as object;
    expect(explained).toMatchObject({ pool: 'chat', picker: 'leastConnections' });
    expect(await reloads(herald, 'replaced')).toBe(1);
  });

  it('with problems changes nothing, is told with file, line and column, and is taken once mended', async () => {
    const herald = await aHerald();
    await pickerBecomes(herald, 'waterfill');
    herald.write(
      'policies/chat.yaml',
      'apiVersion: herald/v1\nkind: Policy\nname: chat\nplace:\n  piker: least\n  attempts: many\n',
    );
    const refused = await herald.logged('configuration refused: the old one goes on');
    const file = join(herald.folder, 'policies/chat.yaml');
    expect(refused.level).toBe(50);
    expect(refused['problems']).toContain(`${file}:5:3 place.piker`);
    expect(refused['problems']).toContain('did you mean');
    expect(refused['problems']).toContain(`${file}:6:13 place.attempts`);
    expect(await reloads(herald, 'refused')).toBe(1);
    await pickerBecomes(herald, 'waterfill');
    herald.write('policies/chat.yaml', withPicker('least'));
    await pickerBecomes(herald, 'least');
    expect(await reloads(herald, 'replaced')).toBe(1);
  });

  it('that is new and named by no pool is taken along, and SIGHUP reads everything again', async () => {
    const herald = await aHerald();
    herald.signal('SIGHUP');
    await herald.logged('configuration unchanged');
    const seen = herald.logs.length;
    herald.write('policies/spare.yaml', { ...aPolicy(), name: 'spare' });
    expect(await herald.logged('configuration reloaded', seen)).toMatchObject({ pools: 1, policies: 3 });
    const { name } = await herald.admin<{ name: string }>('/v1/policies/spare');
    expect(name).toBe('spare');
  });

  it('that vanishes although a pool names it is refused', async () => {
    const herald = await aHerald();
    herald.write('policies/chat.yaml', { ...aPolicy(), name: 'talk' });
    const refused = await herald.logged('configuration refused: the old one goes on');
    expect(refused['problems']).toMatch(/herald\.yaml:\d+:\d+ pools\.chat\.policy/);
    await pickerBecomes(herald, 'waterfill');
  });
});

describe('herald.yaml', () => {
  it('that names another directory of policies has that one watched from then on', async () => {
    const herald = await aHerald();
    herald.write('others/chat.yaml', withPicker('least'));
    herald.write('herald.yaml', aConfig({ policies: './others' }));
    await pickerBecomes(herald, 'least');
    herald.write('others/chat.yaml', withPicker('random'));
    await pickerBecomes(herald, 'random');
  });

  it('that is overwritten brings a new static node, which gets connections, and keeps the open ones', async () => {
    const herald = await aHerald();
    const greet = (socket: { send(text: string): void }, id: string) => socket.send(id);
    await anEchoNode('a', herald.intakeUrl, { greet });
    await herald.eligible('a');
    const early = await connectWs(herald.publicPort);
    // It has no agent that could register it.
    const b = await anEchoNode('b', 'http://127.0.0.1:9', { greet });
    const nodes = [{ id: 'fresh', address: `127.0.0.1:${b.port}` }];
    herald.write('herald.yaml', aConfig({ pools: { chat: { policy: 'chat', nodes } } }));
    await herald.eligible('a', 'fresh');
    const homes = [];
    for (let index = 0; index < 12; index += 1) {
      const client = await connectWs(herald.publicPort);
      homes.push((await client.message(1)).data.toString());
    }
    expect(new Set(homes)).toEqual(new Set(['a', 'b']));
    early.socket.send('still here');
    expect((await early.message(2)).data.toString()).toBe('still here');
    // Taken out again, it gets nothing more.
    herald.write('herald.yaml', aConfig());
    await herald.eligible('a');
  });

  it('with another listener says that this takes a restart, and takes the rest', async () => {
    const herald = await aHerald();
    const listeners = [
      { name: 'public', bind: '127.0.0.1:0' },
      { name: 'second', bind: '127.0.0.1:0' },
    ];
    herald.write('herald.yaml', aConfig({ listeners, pools: { chat: { policy: 'default' } } }));
    const warned = await herald.logged('these sections change with a restart only');
    expect(warned).toMatchObject({ level: 40, sections: ['listeners'] });
    const pool = await herald.admin<PoolSummary>('/v1/pools/chat');
    expect(pool.policy).toBe('default');
    // Said again for as long as the running listeners are not those of the file, and no longer.
    const seen = herald.logs.length;
    herald.signal('SIGHUP');
    expect(await herald.logged('these sections change with a restart only', seen)).toMatchObject({
      sections: ['listeners'],
    });
    const mended = herald.logs.length;
    herald.write('herald.yaml', aConfig());
    await herald.logged('configuration reloaded', mended);
    expect((await herald.admin<PoolSummary>('/v1/pools/chat')).policy).toBe('chat');
    expect(herald.logs.slice(mended).map(({ msg }) => msg)).not.toContain(
      'these sections change with a restart only',
    );
  });

  it('with another pool serves its routes at once', async () => {
    const herald = await aHerald();
    const a = await anEchoNode('a', herald.intakeUrl);
    await herald.eligible('a');
    const games = {
      policy: 'chat',
      routes: [{ path: '/games' }],
      nodes: [{ id: 'g', address: `127.0.0.1:${a.port}` }],
    };
    herald.write(
      'herald.yaml',
      aConfig({ pools: { chat: { policy: 'chat', routes: [{ path: '/chat' }] }, games } }),
    );
    await eventually(
      () => herald.nodes('games'),
      (nodes) => nodes['g'] !== undefined,
    );
    const answer = await fetch(`http://127.0.0.1:${herald.publicPort}/elsewhere`);
    expect([answer.status, await answer.json()]).toEqual([
      404,
      expect.objectContaining({ code: 'HERALD_ROUTE_UNKNOWN' }),
    ]);
    const client = await connectWs(herald.publicPort, { path: '/games/1' });
    client.socket.send('hello');
    expect((await client.message(1)).data.toString()).toBe('hello');
    expect((await herald.nodes('games'))['g']?.connections.open).toBe(1);
  });
});
