// What the tables of `herald status` and `herald top` say of a node, cell by cell.
import type { NodeDetail } from '../protocol/admin-api.ts';
import { bar, type Paint } from './table.ts';

/** What a node is in one word: why it takes nothing, or how well its load is known. */
export function stateWord(node: NodeDetail): string {
  if (node.ineligible !== null) return node.ineligible;
  if (node.loadState === 'valid') return 'ready';
  return node.loadState === 'none' ? 'no report' : node.loadState;
}

/** That word in the colour of its urgency. */
export function stateCell(node: NodeDetail, paint: Paint): string {
  const colour = node.ineligible !== null ? 'red' : node.loadState === 'valid' ? 'green' : 'yellow';
  return paint(colour, stateWord(node));
}

/** A node's score as a bar of `width` characters; an empty one when it is not known. */
export function loadBar(score: number | null, width: number, paint: Paint): string {
  if (score === null) return bar(0, width);
  const colour = score > 0.95 ? 'red' : score > 0.75 ? 'yellow' : 'green';
  return paint(colour, bar(score, width));
}

/** Connections that are open, whichever process relays them, and those that are being opened. */
export function connectionCount({ connections: { open, dialling, earlier } }: NodeDetail): string {
  return String(open + dialling + earlier);
}

/** `0.3 s`, `250 s`, `3 h`: how old a report is, in seven characters at most; `-` before the first one. */
export function reportAge(ms: number | null): string {
  if (ms === null) return '-';
  const seconds = ms / 1000;
  if (seconds < 99.9) return `${seconds.toFixed(1)} s`;
  if (seconds < 600) return `${seconds.toFixed(0)} s`;
  if (seconds < 36_000) return `${Math.floor(seconds / 60)} min`;
  const hours = Math.floor(seconds / 3600);
  return hours < 1000 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}
