// Stays with an operation until it is over: draws its progress where somebody looks, and outlives a restart of the balancer.
import { HeraldError } from '../core/error.ts';
import type { Operation } from '../protocol/operations.ts';
import type { AdminClient } from './admin-client.ts';
import { exitCodes, type ExitCode } from './exit-code.ts';
import type { CliIo } from './io.ts';
import { LiveScreen } from './live-screen.ts';
import { endLine, nodesOf, progressLine } from './operation-lines.ts';
import { pause } from './pause.ts';
import { columnsOf, foldLines, paintFor } from './table.ts';

const askEveryMs = 500;
// A balancer that restarts is back in seconds; state files make it go on with its drains.
const patienceMs = 60_000;

/** How a command ends that waited for this operation. */
export function exitCodeOf({ state }: Operation): ExitCode {
  if (state === 'deadline') return exitCodes.deadlinePassed;
  return state === 'done' || state === 'running' ? exitCodes.done : exitCodes.failed;
}

/**
 * The operation when it is over. Progress goes to stderr, drawn again and again on a terminal only. `isQuiet` leaves out
 * the lines without one. Throws the signal's reason when interrupted, after saying that the operation goes on.
 */
export async function followOperation(
  client: AdminClient,
  first: Operation,
  { io, isQuiet }: { io: CliIo; isQuiet: boolean },
): Promise<Operation> {
  const say = (text: string) => {
    if (!isQuiet || io.stderr.isTTY === true) io.stderr.write(`${text}\n`);
  };
  const screen = new LiveScreen(io.stderr);
  const paint = paintFor(io.stderr, io.env);
  const asker = createAsker(client, first.id, { io, say });
  let operation = first;
  if (operation.state === 'running') say(beginLine(operation));
  while (operation.state === 'running') {
    screen.draw([progressLine(operation, { paint, columns: columnsOf(io.stderr, io.env) })]);
    await pause(io, askEveryMs);
    if (io.signal.aborted) {
      screen.settle();
      io.stderr.write(`${interruptedLines(operation).join('\n')}\n`);
      throw io.signal.reason;
    }
    operation = (await asker()) ?? operation;
  }
  screen.draw([]);
  return operation;
}

/** Follows it, prints how it ended as a table command does, and tells the exit code. */
export async function followToEnd(client: AdminClient, first: Operation, io: CliIo): Promise<ExitCode> {
  const operation = await followOperation(client, first, { io, isQuiet: false });
  io.stdout.write(`${foldLines([endLine(operation)], columnsOf(io.stdout, io.env)).join('\n')}\n`);
  return exitCodeOf(operation);
}

function beginLine({ id, kind, pool, nodes, deadlineAt }: Operation): string {
  const what = kind === 'drain' ? `drain of ${nodesOf({ nodes })}` : `rebalance of ${pool}`;
  return `${what} is under way as ${id}${deadlineAt === null ? '' : `, until ${deadlineAt.slice(11, 19)} UTC`}`;
}

function interruptedLines({ id, kind, nodes }: Operation): string[] {
  return [
    `the ${kind} goes on without this command`,
    `  follow it:  herald operations ${id} --wait`,
    `  end it:     herald operations ${id} --cancel`,
    ...(kind === 'drain' ? [`  undo it:    herald ready ${nodes.join(' ')}`] : []),
  ];
}

/** Asks for the operation; undefined while the balancer does not answer, which is said once and borne for a minute. */
function createAsker(
  client: AdminClient,
  id: string,
  { io, say }: { io: CliIo; say: (text: string) => void },
): () => Promise<Operation | undefined> {
  let lostAtMs: number | undefined;
  return async () => {
    try {
      const operation = await client.get<Operation>(`/v1/operations/${encodeURIComponent(id)}`);
      if (lostAtMs !== undefined) say(`${client.name} answers again`);
      lostAtMs = undefined;
      return operation;
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (lostAtMs === undefined) say(`${client.name} does not answer; asking again for a minute`);
      lostAtMs ??= io.clock.nowMs();
      if (io.clock.nowMs() - lostAtMs > patienceMs) throw error;
      return undefined;
    }
  };
}

function isPassing(error: unknown): boolean {
  if (!(error instanceof HeraldError)) return false;
  return error.code === 'HERALD_UNREACHABLE' || error.code === 'HERALD_TOO_MANY_REQUESTS';
}
