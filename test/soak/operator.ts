// The operator of a soak: drains one node after the other, looks whether it is empty, and has it back.
import { setTimeout as sleep } from 'node:timers/promises';
import { createAdminClient } from '../../src/cli/admin-client.ts';
import { pcg32 } from '../../src/core/rng.ts';
import { oneOf } from '../chaos/schedule.ts';
import { eventually } from '../support/eventually.ts';
import type { HeraldProcess } from '../support/herald-process.ts';
import { between } from './bytes.ts';
import type { Desk } from './desk.ts';

const deadlineMs = 6000;
const emptyWithinMs = 60_000;

/** Drains and readies until all leave; the last word to every node is ready. */
export async function drainAndReady(
  desk: Desk,
  herald: HeraldProcess,
  { ids, seed }: { readonly ids: readonly string[]; readonly seed: number },
): Promise<void> {
  const rng = pcg32(seed * 100_000 - 1);
  const admin = createAdminClient({ kind: 'socket', socketPath: herald.socketPath }, 30_000);
  const tell = (node: string, body: object) => admin.send('PUT', `/v1/nodes/${node}/admin-state`, { body });
  const pause = (ms: number) => sleep(ms, undefined, { signal: desk.leave.signal }).catch(() => {});
  await pause(2000);
  while (!desk.isLeaving) {
    const node = oneOf(ids, rng.next());
    const isReady = desk.drains(node);
    await tell(node, { adminState: 'drain', why: 'soak', deadlineMs, force: true });
    desk.count('drains');
    // Some are called back before they are over.
    if (rng.next() < 0.3) await pause(between(rng, [200, 4000]));
    else await checkEmpty(desk, herald, node);
    await tell(node, { adminState: 'ready', why: 'soak' });
    isReady();
    await pause(between(rng, [1000, 6000]));
  }
  await admin.close();
}

async function checkEmpty(desk: Desk, herald: HeraldProcess, node: string): Promise<void> {
  const left = async () => {
    const { open, dialling } = (await herald.nodes())[node]?.connections ?? { open: NaN, dialling: NaN };
    return open + dialling;
  };
  const failure = await eventually(left, (count) => count === 0, emptyWithinMs).then(
    () => '',
    (error: Error) => error.message,
  );
  desk.verdicts.check('drained', failure === '', () => `${node}: ${failure}`);
}
