// What somebody sees of `herald demo --scale`: a live table, what was done of late, and the figures at the end.
import { LiveScreen, type TextStream } from '../cli/live-screen.ts';
import { fitLine, percent, wrapText, type Paint } from '../cli/table.ts';
import type { ScaleResult, ScaleRow, ScaleSecond } from './scale-run.ts';
import type { ScaleScenario } from './scale-scenario.ts';
import { renderNodes } from './table.ts';

const columns = 80;
// Old lines scroll out of the picture: it must not grow.
const shownEvents = 6;
// Without a terminal a picture now and then shows that it lives.
const secondsPerPicture = 10;

/** Draws one second after the other. */
export interface ScaleView {
  second(second: ScaleSecond): void;
  end(): void;
}

/** On a terminal the picture is drawn in place; elsewhere one every ten seconds. */
export function createScaleView(at: {
  readonly scenario: ScaleScenario;
  readonly stdout: TextStream;
  readonly paint: Paint;
}): ScaleView {
  const { scenario, stdout, paint } = at;
  const screen = new LiveScreen(stdout);
  return {
    second: (second) => {
      const lines = renderSecond(second, scenario, paint);
      screen.draw(lines);
      if (stdout.isTTY !== true && second.row.second % secondsPerPicture === 0)
        stdout.write(`${lines.join('\n')}\n\n`);
    },
    end: () => {
      screen.settle();
      stdout.write('\n');
    },
  };
}

/** Lines of one second, at most 80 columns wide. */
export function renderSecond(second: ScaleSecond, { traffic }: ScaleScenario, paint: Paint): string[] {
  const { row, measured, assessment, scaling, events } = second;
  const told = events
    .slice(-shownEvents)
    .map((event) => fitLine(`${`${event.second} s`.padStart(5)}  ${event.message}`, columns));
  return [
    paint('bold', `Nodes by what the work needs · second ${row.second} of ${traffic.durationMs / 1000}`),
    '',
    ...renderNodes({ showShare: true, assessment, measured, notes: new Map() }, paint),
    '',
    ...wrapText(`${scaling.desiredNodes} nodes: ${scaling.reason}`, columns),
    '',
    ...told.map((line) => paint('dim', line)),
  ];
}

/** The figures that a run comes to. */
export interface ScaleFigures {
  /** Nodes at the start, at most, and at the end. */
  readonly nodes: readonly [number, number, number];
  /** Time that nodes ran, in all. */
  readonly nodeSeconds: number;
  /** What as many nodes as there were at most would have run. */
  readonly nodeSecondsAtMost: number;
  readonly connected: number;
  /** Asked to leave with a hint when to come back, and back. */
  readonly moved: number;
  /** Closed without a goodbye, which a client sees as 1006. */
  readonly closed1006: number;
  /** Anything else that a client could not read, by what it was. */
  readonly trouble: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Of these, seconds in which some node was busier than 95 % of the time. */
  readonly saturatedSeconds: number;
  readonly answerP99Ms: number;
}

const saturatedFrom = 0.95;

/** Counts a run together. */
export function scaleFiguresOf({ rows, clients }: ScaleResult): ScaleFigures {
  const counts = rows.map(({ nodes }) => nodes.length);
  const most = Math.max(...counts);
  const { 'closed: 1006': closed1006 = 0, ...trouble } = clients.trouble;
  return {
    nodes: [counts[0] ?? 0, most, counts.at(-1) ?? 0],
    nodeSeconds: counts.reduce((sum, count) => sum + count, 0),
    nodeSecondsAtMost: most * counts.length,
    connected: clients.connected,
    moved: clients.returned,
    closed1006,
    trouble,
    seconds: rows.length,
    saturatedSeconds: rows.filter(isSaturated).length,
    answerP99Ms: clients.p99Ms,
  };
}

function isSaturated({ nodes }: ScaleRow): boolean {
  return nodes.some(({ utilization }) => utilization > saturatedFrom);
}

/** The end of a run, for people. */
export function renderScaleSummary(figures: ScaleFigures, paint: Paint): string {
  const { nodes, nodeSeconds, nodeSecondsAtMost, connected, moved, closed1006, trouble } = figures;
  const [first, most, last] = nodes;
  const saved = percent(1 - nodeSeconds / nodeSecondsAtMost);
  const troubles = Object.entries(trouble).map(([what, count]) => `${count} × ${what}`);
  return [
    paint('bold', `From ${first} nodes to ${most} and back to ${last}, each drained before it was stopped:`),
    '',
    `  ${connected} connections opened, ${moved} were asked to come back elsewhere and did`,
    `  ${closed1006} closed by 1006${troubles.length > 0 ? `; ${troubles.join(', ')}` : ''}`,
    `  a node above 95% in ${figures.saturatedSeconds} of ${figures.seconds} seconds; answers: p99 ${figures.answerP99Ms.toFixed(0)} ms`,
    `  ${nodeSeconds} node-seconds, ${saved} less than with ${most} nodes all the time`,
    '',
    'docs/scaling.md: how the number is computed, and how a platform follows it.',
    '',
  ].join('\n');
}
