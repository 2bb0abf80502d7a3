// Who may ask for a takeover, and what changes hear while one is under way.
import { afterEach, describe, expect, it } from 'vitest';
import type { TakeoverDesk } from '../../../src/balancer/admin/takeover-port.ts';
import { HeraldError } from '../../../src/core/error.ts';
import { aRoom, type Room } from '../../support/a-room.ts';
import { anAdmin, aTcp, secrets, type RunningAdmin } from '../../support/an-admin.ts';
import { aStubControl } from '../../support/stub-control.ts';
import { aStubTakeover } from '../../support/stub-takeover.ts';

let room: Room;
let running: RunningAdmin;

async function start(takeover: TakeoverDesk): Promise<void> {
  room = aRoom({ nodes: ['chat-1'], ageMs: 10_000 });
  running = await anAdmin(room.registry, { control: aStubControl(), tcp: aTcp(), takeover });
}

afterEach(async () => {
  await running[Symbol.asyncDispose]();
  room.registry.stop();
});

describe('a takeover over the admin API', () => {
  it('is for whoever can open the socket, and for no token', async () => {
    const asked: string[] = [];
    await start(aStubTakeover(asked));
    const refused = await running.ask('POST', '/v1/takeover', { as: secrets.operator });
    expect(refused.json).toMatchObject({ status: 403, code: 'HERALD_NOT_ALLOWED' });
    expect(asked).toEqual([]);
    expect((await running.ask('POST', '/v1/takeover')).json).toMatchObject({ generation: 3, connections: 4 });
    expect(asked).toEqual(['local']);
  });

  it('is shown to whoever may read', async () => {
    await start(aStubTakeover());
    const { json } = await running.ask('GET', '/v1/takeover', { as: secrets.reader });
    expect(json).toMatchObject({ generation: 2, earlier: [{ pid: 100, connections: 3 }] });
  });

  it('refuses changes that came too late, and changes nothing; questions are answered', async () => {
    const passGate = () => Promise.reject(new HeraldError('HERALD_HANDED_OVER', 'too late'));
    await start({ ...aStubTakeover(), passGate });
    const body = { adminState: 'maint' };
    const refused = await running.ask('PUT', '/v1/nodes/chat-1/admin-state', { body });
    expect(refused.json).toMatchObject({ status: 503, code: 'HERALD_HANDED_OVER' });
    expect(room.registry.node('chat-1').node.adminState).toBe('ready');
    expect((await running.ask('GET', '/v1/pools')).status).toBe(200);
    // Who asks once more for the takeover joins the one under way.
    expect((await running.ask('POST', '/v1/takeover')).status).toBe(200);
  });
});
