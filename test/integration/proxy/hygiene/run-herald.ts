// One case at one listener of ours over one recording node.
import { startProxy } from '../../../support/proxy.ts';
import type { HygieneCase, Outcome } from './case.ts';
import { limits, observe } from './observe.ts';
import { startRecordingNode } from './recording-node.ts';

/** The outcome; afterwards no lease and no socket is left. */
export async function runAtHerald(hygieneCase: HygieneCase): Promise<Outcome> {
  const node = await startRecordingNode(hygieneCase);
  const placed = { id: 'a', host: '127.0.0.1', port: node.port };
  const raw = { placed, openSockets: 0, received: [], close: () => node.close() };
  const proxy = await startProxy({ nodes: [raw], attempts: 1, timeouts: limits });
  const outcome = await observe(hygieneCase, { host: '127.0.0.1', port: proxy.port }, node);
  await proxy.finish();
  return outcome;
}
