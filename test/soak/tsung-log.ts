// What tsung writes about a run, read and judged. No process lives here.

/** Things that each user of tsung/websockets.xml says. */
const turns = 10;

/**
 * The last number of each statistic of a `tsung.log`: of counters their sum, of durations (ms) the mean of the whole run.
 * Empty for a log without statistics.
 */
export function readTsungLog(log: string): Readonly<Record<string, number>> {
  const numbers: Record<string, number> = {};
  for (const line of log.split('\n')) {
    const [, name, rest] = /^stats: (\w+) (.+)$/.exec(line) ?? [];
    if (name === undefined || rest === undefined) continue;
    const fields = rest.split(' ').map(Number);
    // Counters: since the last line, in all. Durations: count, mean, deviation, most, least, then mean and count before.
    if (fields.length === 2) numbers[name] = fields[1] ?? 0;
    else numbers[`${name}_ms`] = meanOf(fields);
  }
  return numbers;
}

function meanOf([count = 0, mean = 0, , , , meanBefore = 0, countBefore = 0]: readonly number[]): number {
  const all = count + countBefore;
  return all === 0 ? 0 : Math.round((1000 * (count * mean + countBefore * meanBefore)) / all) / 1000;
}

/** What was wrong in a run, one sentence each; empty when nothing was. `taken` has the connections by node. */
export function tsungFaults(
  numbers: Readonly<Record<string, number>>,
  taken: Readonly<Record<string, number>>,
): string[] {
  const { users_count: users = 0, finish_users_count: finished = 0 } = numbers;
  const { websocket_succ: opened = 0, match: heard = 0 } = numbers;
  const faults: string[] = [];
  if (users === 0) faults.push('no user came');
  if (finished !== users) faults.push(`${finished} of ${users} users came to their end`);
  if (opened !== users) faults.push(`${opened} of ${users} users opened a WebSocket`);
  if (heard !== users * turns) faults.push(`${heard} of ${users * turns} words came back`);
  for (const [name, number] of Object.entries(numbers))
    if (/^(error|nomatch|websocket_fail)/.test(name) && number > 0) faults.push(`${name}: ${number}`);
  for (const [node, connections] of Object.entries(taken))
    if (connections === 0) faults.push(`node ${node} got nobody`);
  return faults;
}
