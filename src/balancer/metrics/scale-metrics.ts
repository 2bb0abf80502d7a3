// The metrics of recommendations: name, labels, help with unit.
import type { MetricEntry } from './metric-entry.ts';

/** What follows recommendations: read and rendered at scrape time by scale-page.ts. */
export const scaleMetrics = {
  herald_scale_known: {
    type: 'gauge',
    labels: ['pool'],
    help: '1 while valid load data say how many nodes the pool needs, else 0; then the gauges of loads and wishes below are absent.',
  },
  herald_scale_desired_nodes: {
    type: 'gauge',
    labels: ['pool'],
    help: 'Nodes there should be, as a count, with the stabilization window and steps of the policy: for alerts and for drivers without windows of their own; absent while unknown.',
  },
  herald_scale_wanted_nodes: {
    type: 'gauge',
    labels: ['pool'],
    help: 'Nodes there should be, as a count, within min and max but without windows and steps; absent while unknown.',
  },
  herald_scale_total_load: {
    type: 'gauge',
    labels: ['pool'],
    help: 'Load of the pool in nodes at saturation, summed up and without windows: an HPA with AverageValue herald_scale_target divides it by its replicas; absent while unknown, never 0 for that.',
  },
  herald_scale_forecast_load: {
    type: 'gauge',
    labels: ['pool'],
    help: 'The same as expected when a node that is started now would serve; absent while unknown.',
  },
  herald_scale_capacity: {
    type: 'gauge',
    labels: ['pool'],
    help: 'Capacity of the nodes that serve or are starting, in nodes of the usual size; absent while unknown.',
  },
  herald_scale_target: {
    type: 'gauge',
    labels: ['pool'],
    help: 'Utilization that recommendations aim at, as a fraction: scale.target of the policy.',
  },
  herald_scale_nodes: {
    type: 'gauge',
    labels: ['pool', 'phase'],
    help: 'Nodes that recommendations count, as a count: phase serving or starting. Nodes that drain, are in maint or down are in neither.',
  },
} as const satisfies Record<string, MetricEntry>;
