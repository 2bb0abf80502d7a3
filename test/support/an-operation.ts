// Operations, nodes and pools as the admin API tells them, with what a test cares about.
import type { NodeDetail, PoolSummary } from '../../src/protocol/admin-api.ts';
import type { Operation, OperationProgress } from '../../src/protocol/operations.ts';
import type { LearnedFigure, NodeLearning, PoolLearning } from '../../src/protocol/learned.ts';

/** Counts that are 0 but for these. */
export function aProgress(changes: Partial<OperationProgress> = {}): OperationProgress {
  const none = { total: 0, waiting: 0, leaving: 0, closed: 0, cut: 0, refusedByPeer: 0, leftByThemselves: 0 };
  return { ...none, returned: 0, ...changes };
}

/** A running drain of node a with 40 of 100 connections left. */
export function anOperation(changes: Partial<Operation> = {}): Operation {
  return {
    id: 'drain-1',
    kind: 'drain',
    pool: 'chat',
    nodes: ['a'],
    state: 'running',
    reason: '',
    by: 'local',
    why: '',
    startedAt: '2026-01-31T12:00:00.000Z',
    endedAt: null,
    deadlineAt: '2026-01-31T12:10:00.000Z',
    etaMs: 8000,
    ratePerSecond: 5,
    progress: aProgress({
      total: 100,
      waiting: 35,
      leaving: 5,
      closed: 58,
      leftByThemselves: 2,
      returned: 50,
    }),
    imbalance: { before: null, now: null, predicted: null },
    ...changes,
  };
}

const unlearned: LearnedFigure = {
  value: null,
  own: null,
  ofPool: null,
  amountWhenFull: null,
  pairs: 0,
  from: 'none',
};

const unlearnedNode: NodeLearning = {
  messageCost: unlearned,
  connectionSlope: unlearned,
  autoSaturation: null,
  throughputPairs: 0,
  isRestored: false,
};

const unlearnedPool: PoolLearning = {
  messageCost: null,
  idleByMessages: null,
  messagePairs: 0,
  connectionSlope: null,
  idleByConnections: null,
  connectionPairs: 0,
};

/** A node that is ready and half full. */
export function aNodeDetail(changes: Partial<NodeDetail> & { id: string }): NodeDetail {
  return {
    pool: 'chat',
    address: '10.0.0.1:8081',
    zone: '',
    version: '',
    origin: 'static',
    adminState: 'ready',
    health: 'up',
    healthReason: '',
    ineligible: null,
    loadState: 'valid',
    evidence: 'measured',
    score: 0.5,
    utilization: 0.5,
    bottleneck: 'cpu',
    distress: null,
    signals: {},
    share: 0.25,
    connections: { open: 100, dialling: 0, earlier: 0, reported: 100 },
    maxConnections: null,
    messagesPerSecond: 400,
    reportAgeMs: 300,
    capacity: null,
    costPerMessage: null,
    slopePerConnection: null,
    learned: unlearnedNode,
    ...changes,
  };
}

/** A pool of four nodes. */
export function aPoolSummary(changes: Partial<PoolSummary> = {}): PoolSummary {
  return {
    pool: 'chat',
    policy: 'chat',
    picker: 'waterfill',
    basis: 'load',
    panic: false,
    nodes: { total: 4, eligible: 4, drain: 0, maint: 0, down: 0, full: 0, shedding: 0 },
    connections: { open: 400, dialling: 0, earlier: 0 },
    arrivalsPerSecond: 3.25,
    meanUtilization: 0.5,
    imbalance: 1.23,
    learned: unlearnedPool,
    ...changes,
  };
}
