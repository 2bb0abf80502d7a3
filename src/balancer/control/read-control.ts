// Reads the section `control` of a saved state. It was written by a Herald, maybe of another version, maybe by hand:
// entries that make no sense are left out.
import type { Operation, OperationProgress } from '../../protocol/operations.ts';
import type { SavedControl, SavedDrain, SavedWish } from './control-section.ts';

type Row = Readonly<Record<string, unknown>>;

/** What is understood of it; undefined when the whole is nonsense. */
export function readSavedControl(saved: unknown): SavedControl | undefined {
  if (!isRow(saved)) return undefined;
  const { wishes, drains, over, freezes } = saved;
  if (!Array.isArray(wishes) || !Array.isArray(drains) || !Array.isArray(over) || !isRow(freezes))
    return undefined;
  return {
    wishes: wishes.flatMap(readWish),
    drains: drains.flatMap(readDrain),
    over: over.filter(isOperation),
    freezes: Object.fromEntries(Object.entries(freezes).flatMap(readFreeze)),
  };
}

function readWish(value: unknown): SavedWish[] {
  if (!isRow(value)) return [];
  const { pool, node, adminState, selfDrainEpoch } = value;
  const isWish = adminState === 'drain' || adminState === 'maint';
  if (typeof pool !== 'string' || typeof node !== 'string' || !isWish) return [];
  return [{ pool, node, adminState, ...(typeof selfDrainEpoch === 'string' && { selfDrainEpoch }) }];
}

function readDrain(value: unknown): SavedDrain[] {
  if (!isRow(value) || !isOperation(value['operation']) || !isRow(value['deadlines'])) return [];
  const { operation, ratePerSecond, startedWallMs } = value;
  const deadlines = Object.entries(value['deadlines']).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number' && Number.isFinite(entry[1]),
  );
  const isRate = ratePerSecond === 'auto' || (typeof ratePerSecond === 'number' && ratePerSecond > 0);
  if (deadlines.length === 0 || !isRate || typeof startedWallMs !== 'number') return [];
  return [{ operation, ratePerSecond, startedWallMs, deadlines: Object.fromEntries(deadlines) }];
}

function readFreeze([pool, value]: [string, unknown]): [string, SavedControl['freezes'][string]][] {
  if (!isRow(value)) return [];
  const { by, why, sinceWallMs } = value;
  if (typeof by !== 'string' || typeof why !== 'string' || typeof sinceWallMs !== 'number') return [];
  return [[pool, { by, why, sinceWallMs }]];
}

const texts = ['id', 'kind', 'pool', 'state', 'reason', 'by', 'why', 'startedAt'] as const;
const parts = 'total waiting leaving closed cut refusedByPeer leftByThemselves returned'.split(' ');

/** Whether all that is shown of an operation is there and of the right type. */
function isOperation(value: unknown): value is Operation {
  if (!isRow(value) || !texts.every((key) => typeof value[key] === 'string')) return false;
  const { nodes, progress, imbalance, owner = '' } = value;
  if (typeof owner !== 'string') return false;
  return Array.isArray(nodes) && isProgress(progress) && isRow(imbalance);
}

function isProgress(value: unknown): value is OperationProgress {
  return isRow(value) && parts.every((key) => typeof value[key] === 'number' && value[key] >= 0);
}

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
