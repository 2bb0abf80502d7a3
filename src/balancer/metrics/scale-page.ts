// Recommendations as metrics, read at scrape time. What is not known is absent: an autoscaler takes 0 for idle.
import type { Scaling } from '../../protocol/scaling.ts';
import { createExposition, labelText } from './exposition.ts';
import { scaleMetrics } from './scale-metrics.ts';

/** The part of the page that is about recommendations, one for each pool. */
export function scalePage(scalings: Iterable<Scaling>): string {
  const page = createExposition(scaleMetrics);
  for (const scaling of scalings) {
    const { nodes, startingNodes, state } = scaling;
    const labels = labelText({ pool: scaling.pool });
    const isKnown = state === 'known';
    page.add('herald_scale_known', labels, isKnown ? 1 : 0);
    page.add('herald_scale_target', labels, scaling.target);
    page.add('herald_scale_nodes', `${labels},phase="serving"`, nodes - startingNodes);
    page.add('herald_scale_nodes', `${labels},phase="starting"`, startingNodes);
    if (!isKnown) continue;
    page.add('herald_scale_desired_nodes', labels, scaling.desiredNodes);
    page.add('herald_scale_wanted_nodes', labels, scaling.wantedNodes ?? NaN);
    page.add('herald_scale_total_load', labels, scaling.totalLoad ?? NaN);
    page.add('herald_scale_forecast_load', labels, scaling.forecastLoad ?? NaN);
    page.add('herald_scale_capacity', labels, scaling.capacity ?? NaN);
  }
  return page.text();
}
