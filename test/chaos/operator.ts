// An operator who asks balancers that live for what the schedule says, and whose words are remembered at the desk.
import { HeraldError } from '../../src/core/error.ts';
import type { ChaosBalancer } from './balancer.ts';
import { freezeName, type Apart } from './desk.ts';
import type { House } from './house.ts';
import { oneOf, type ScheduledWord, type Word } from './schedule.ts';

const drainDeadlineMs = 20_000;
// So long a rebalance may go on asking connections to leave.
const rebalanceMs = 60_000;

/** How words were answered: `done`, or a code. */
export type Answers = Record<string, number>;

/** Asks a balancer that lives for one thing. */
export async function ask(house: House, { word, via }: ScheduledWord, answers: Answers): Promise<void> {
  const living = house.balancers.filter(({ isWanted }) => isWanted);
  await askOf(oneOf(living.length > 0 ? living : house.balancers, via), word, { house, answers });
}

/** Two operators, each of a balancer that hears nothing of the other's. Where only one lives, nobody asks. */
export async function askAtOdds(
  house: House,
  { words, apart, via }: { words: readonly [Word, Word]; apart: Apart['balancers']; via: number },
  answers: Answers,
): Promise<void> {
  const living = house.balancers.filter(({ isWanted }) => isWanted);
  const first = living.find(({ id }) => apart === 'all' || apart.includes(id));
  const others = living.filter((balancer) => balancer !== first);
  if (first === undefined || others.length === 0) return;
  await askOf(first, words[0], { house, answers });
  await askOf(oneOf(others, via), words[1], { house, answers });
}

async function askOf(
  balancer: ChaosBalancer,
  word: Word,
  { house, answers }: { house: House; answers: Answers },
): Promise<void> {
  const { journal, desk } = house;
  expectEnds(house, word);
  desk.disturb();
  const fromMs = journal.nowMs();
  const answer = await sent(balancer, word);
  answers[answer] = (answers[answer] ?? 0) + 1;
  const isUnanswered = answer === 'HERALD_UNREACHABLE';
  journal.tell(`operator to ${balancer.id}: ${textOf(word)}${answer === 'done' ? '' : ` (${answer})`}`);
  judge(house, { balancer, answer, fromMs });
  desk.disturb();
  if (answer !== 'done' && !isUnanswered) return;
  const telling = { to: balancer.id, isAnswered: !isUnanswered };
  if (word.kind === 'node') desk.say(word.node, word.state, telling);
  if (word.kind === 'freeze') desk.say(freezeName, word.frozen ? 'frozen' : 'released', telling);
}

/** From before it is sent: a goodbye may come before the answer. */
function expectEnds({ journal, desk }: House, word: Word): void {
  if (word.kind === 'node' && word.state === 'drain') desk.expectDrain(word.node);
  if (word.kind === 'rebalance') setTimeout(journal.begin('rebalance', ''), rebalanceMs).unref();
}

// Refusals of which an operator learns why: by a freeze, by an operation that runs, by nodes that this balancer, just
// started without Redis, has not heard of, and by a process that is being replaced.
const refusals = new Set([
  'HERALD_FROZEN',
  // A rebalance while nobody can be sure to lead.
  'HERALD_NO_LEADER',
  'HERALD_OPERATION_RUNNING',
  'HERALD_NODE_UNKNOWN',
  'HERALD_HANDED_OVER',
]);

function judge(
  { journal, verdicts }: House,
  { balancer, answer, fromMs }: { balancer: ChaosBalancer; answer: string; fromMs: number },
): void {
  const asked = { balancer: balancer.id, node: '', fromMs, untilMs: journal.nowMs() };
  const isExplained =
    answer === 'done' ||
    refusals.has(answer) ||
    (answer === 'HERALD_UNREACHABLE' && journal.explainsRefusal(asked));
  verdicts.check('heard', isExplained, () => `${balancer.id} answered ${answer}`);
}

async function sent(balancer: ChaosBalancer, word: Word): Promise<string> {
  try {
    if (word.kind === 'rebalance') await balancer.send('POST', '/v1/pools/chat/rebalance', {});
    if (word.kind === 'freeze')
      await balancer.send('PUT', '/v1/pools/chat/freeze', { frozen: word.frozen, why: 'chaos' });
    if (word.kind === 'node') await balancer.send('PUT', pathOf(word.node), bodyOf(word.state));
    return 'done';
  } catch (error) {
    return error instanceof HeraldError ? error.code : String(error);
  }
}

function pathOf(node: string): string {
  return `/v1/nodes/${node}/admin-state`;
}

function bodyOf(adminState: 'ready' | 'drain' | 'maint'): object {
  const drain = adminState === 'drain' ? { deadlineMs: drainDeadlineMs, force: true } : {};
  return { adminState, why: 'chaos', ...drain };
}

/** A word as people say it. */
export function textOf(word: Word): string {
  if (word.kind === 'node') return `${word.state} ${word.node}`;
  if (word.kind === 'freeze') return word.frozen ? 'freeze' : 'release';
  return word.kind;
}
