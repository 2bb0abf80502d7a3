// `herald serve --takeover`: asks the running balancer to be replaced, and waits until it is.
import type { TakeoverAnswer } from '../protocol/takeover.ts';
import { createAdminClient } from './admin-client.ts';
import { findTarget } from './admin-target.ts';
import { usageError } from './flag-values.ts';
import type { CliIo } from './io.ts';

// The old process gives the new one 30 seconds; it is the one that says what came of it.
const timeoutMs = 40_000;

/** Asks, and prints what came of it. HERALD_TAKEOVER_FAILED, HERALD_UNREACHABLE, HERALD_USAGE. */
export async function askTakeover(
  flags: { readonly config?: string; readonly socket?: string },
  io: CliIo,
): Promise<void> {
  const target = await findTarget(flags, io);
  if (target.kind !== 'socket')
    throw usageError('--takeover works on this machine only: unset HERALD_URL, or say --socket');
  const client = createAdminClient(target, timeoutMs);
  try {
    const answer = await client.send<TakeoverAnswer>('POST', '/v1/takeover');
    const { generation, pid, tookMs, connections } = answer;
    io.stdout.write(
      `process ${pid} (generation ${generation}) serves since ${Math.round(tookMs)} ms after the request; ` +
        `the old one still relays ${connections} connection${connections === 1 ? '' : 's'}\n`,
    );
  } finally {
    await client.close();
  }
}
