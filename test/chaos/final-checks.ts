// What must hold when nothing has failed for a while, when all clients have left, and when everything has ended.
import { setTimeout as sleep } from 'node:timers/promises';
import type { House, LeaderToken } from './house.ts';
import type { Invariant } from './invariants.ts';
import { lookAtAll, type Look } from './look.ts';
import { isAlive } from './processes.ts';

type Problems = ReadonlyMap<Invariant, string>;

const quietWithinMs = 120_000;
const surveyEveryMs = 500;
const baseDescriptors = 100;
const quietInvariants = [
  'connected',
  'links',
  'led',
  'adminStates',
  'leases',
  'overlay',
  'drained',
  'descriptors',
] as const;

/** Sends the clients home and ends everything, each with its checks. */
export async function checkTheEnd(house: House): Promise<void> {
  house.journal.tell('clients leave');
  await checkReturned(house);
  await checkEnded(house);
  checkTokens(house);
}

/** Nothing fails now: waits until all holds twice in a row, or is late; then all of it is judged. */
export async function checkQuiet(house: House): Promise<void> {
  const { verdicts, journal } = house;
  const problems = await calm(() => survey(house), journal.nowMs.bind(journal));
  for (const invariant of quietInvariants)
    verdicts.check(invariant, !problems.has(invariant), () => problems.get(invariant) ?? '');
  if (problems.has('adminStates')) house.desk.see(await lookAtAll(house.balancers), true);
  await checkEchoes(house);
  journal.tell('all that must hold in quiet has been looked at');
}

/** Asks until there has been no problem twice, and answers the last ones. */
async function calm(ask: () => Promise<Problems>, nowMs: () => number): Promise<Problems> {
  const deadlineMs = nowMs() + quietWithinMs;
  let calmTimes = 0;
  for (;;) {
    const problems = await ask();
    calmTimes = problems.size === 0 ? calmTimes + 1 : 0;
    if (calmTimes === 2 || nowMs() > deadlineMs) return problems;
    await sleep(surveyEveryMs);
  }
}

/** What does not hold now, by invariant. */
async function survey(house: House): Promise<Problems> {
  const { balancers, crowd, desk } = house;
  const problems = new Map<Invariant, string>();
  const { silent } = crowd;
  if (silent.length > 0)
    problems.set('connected', `${silent.length} clients are not connected: ${silent[0]}`);
  const looks = await lookAtAll(balancers);
  const apart = balancers.filter(({ id }) => !looks.some((look) => look.id === id && look.isShared));
  if (apart.length > 0)
    problems.set('links', `not shared: ${apart.map(({ id }) => linkOf(id, looks)).join('; ')}`);
  const leaders = looks.filter(({ isLeader }) => isLeader);
  if (leaders.length !== 1) problems.set('led', `${leaders.length} balancers lead`);
  if (!desk.see(looks)) problems.set('adminStates', 'the balancers are not of one mind');
  addIf(problems, 'leases', await leaseProblem(house, looks));
  addIf(problems, 'overlay', overlayProblem(looks));
  addIf(problems, 'drained', drainedProblem(looks));
  addIf(problems, 'descriptors', descriptorProblem(house, looks));
  return problems;
}

function addIf(problems: Map<Invariant, string>, invariant: Invariant, problem: string | undefined): void {
  if (problem !== undefined) problems.set(invariant, problem);
}

function linkOf(id: string, looks: readonly Look[]): string {
  const look = looks.find((each) => each.id === id);
  if (look === undefined) return `${id} does not answer`;
  const { link, peers, unsaidWishes } = look.peers;
  return `${id} is ${link.state} ${link.reason}, has ${peers.length} peers, ${unsaidWishes} unsaid`;
}

/** Own connections of a balancer at a node, those of processes that it has replaced included. */
function ownAt({ list }: Look, node: string): number {
  const found = list.nodes.find(({ id }) => id === node);
  if (found === undefined) return 0;
  const { open, dialling, earlier } = found.connections;
  return open + dialling + earlier;
}

function ownOf(look: Look): number {
  return look.list.nodes.reduce((sum, { id }) => sum + ownAt(look, id), 0);
}

async function leaseProblem({ nodes, crowd }: House, looks: readonly Look[]): Promise<string | undefined> {
  const wrong: string[] = [];
  for (const node of nodes) {
    const has = await node.connections();
    const clients = crowd.byNode[node.id] ?? 0;
    const owned = looks.map((look) => ownAt(look, node.id));
    const sum = owned.reduce((all, each) => all + each, 0);
    if (has !== clients || has !== sum)
      wrong.push(
        `${node.id} has ${has}, ${clients} clients say so, balancers own ${owned.join(' + ')} = ${sum}`,
      );
  }
  return wrong.length > 0 ? wrong.join('; ') : undefined;
}

function overlayProblem(looks: readonly Look[]): string | undefined {
  const wrong = looks.flatMap(({ id, peers }) =>
    peers.peers.flatMap((peer) => {
      const other = looks.find((look) => look.id === peer.id);
      const owned = other === undefined ? NaN : ownOf(other);
      return owned === peer.connections
        ? []
        : [`${id} believes ${peer.connections} of ${peer.id}, which owns ${owned}`];
    }),
  );
  return wrong.length > 0 ? wrong.join('; ') : undefined;
}

function drainedProblem(looks: readonly Look[]): string | undefined {
  const wrong = looks.flatMap((look) =>
    look.list.nodes
      .filter(({ id, adminState }) => adminState === 'drain' && ownAt(look, id) > 0)
      .map(({ id }) => `${id} is drained, and ${look.id} has ${ownAt(look, id)} connections there`),
  );
  return wrong.length > 0 ? wrong.join('; ') : undefined;
}

function descriptorProblem({ balancers }: House, looks: readonly Look[]): string | undefined {
  for (const balancer of balancers) {
    const look = looks.find(({ id }) => id === balancer.id);
    const open = balancer.usage()?.descriptors ?? 0;
    const most = look === undefined ? Infinity : 2 * ownOf(look) + baseDescriptors;
    if (open > most) return `${balancer.id} has ${open} descriptors open, ${most} are explained`;
  }
  return undefined;
}

/** Whoever is connected hears one more echo. */
async function checkEchoes({ crowd, verdicts, journal }: House): Promise<void> {
  const before = crowd.heard;
  const late = () => crowd.heard.filter((heard, index) => heard <= (before[index] ?? 0)).length;
  const deadlineMs = journal.nowMs() + quietWithinMs / 2;
  while (late() > 0 && journal.nowMs() < deadlineMs) await sleep(surveyEveryMs);
  verdicts.check('connected', late() === 0, () => `${late()} clients hear no echo`);
}

async function checkReturned(house: House): Promise<void> {
  const { crowd, verdicts, journal, balancers } = house;
  crowd.leave();
  const problems = await calm(async () => {
    const looks = await lookAtAll(balancers);
    const left = looks.flatMap((look) => [
      ...(ownOf(look) > 0 ? [`${look.id} counts ${ownOf(look)} of its own`] : []),
      ...look.peers.peers
        .filter(({ connections }) => connections > 0)
        .map(({ id, connections }) => `${look.id} believes ${connections} of ${id}`),
    ]);
    return new Map(left.length > 0 ? [['returned' as const, left.join('; ')]] : []);
  }, journal.nowMs.bind(journal));
  verdicts.check('returned', problems.size === 0, () => problems.get('returned') ?? '');
}

async function checkEnded(house: House): Promise<void> {
  const { balancers, verdicts } = house;
  for (const balancer of balancers) {
    const { id } = balancer;
    const code = await balancer.terminate().catch(String);
    verdicts.check('ended', code === 0 || code === undefined, () => `${id} ended with ${code}`);
    verdicts.check(
      'errors',
      balancer.stderr === '',
      () => `${id} on stderr: ${balancer.stderr.slice(0, 500)}`,
    );
  }
  await house.end();
  const left = house.everyPid().filter(([, pid]) => isAlive(pid));
  verdicts.check(
    'ended',
    left.length === 0,
    () => `left over: ${left.map((each) => each.join(' ')).join(', ')}`,
  );
}

function checkTokens({ tokens, verdicts }: House): void {
  const inOrder = tokens.toSorted((a, b) => a.wallMs - b.wallMs);
  let last: LeaderToken | undefined;
  for (const each of inOrder) {
    const { id, token } = each;
    // Who finds its own lease still there goes on with its token.
    const grows = last === undefined || token > last.token || (token === last.token && id === last.id);
    verdicts.check('tokens', grows, () => `${id} leads by ${token} after ${last?.id} by ${last?.token}`);
    last = each;
  }
}
