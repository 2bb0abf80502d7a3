// The line that answers HAProxy's agent-check. Listening for the check, and measuring, is the agent's work.

/** What a node answers: always its whole state, since HAProxy leaves standing what a line does not mention. */
export type AgentCheckAnswer =
  | { readonly adminState: 'ready'; /** Of the configured weight, 1..100. */ readonly weightPercent: number }
  | { readonly adminState: 'drain' | 'maint' };

/**
 * The weight of a node, in percent of what HAProxy's configuration gives it: the room that is left. 1 at a
 * utilization of 1 and above, not 0: HAProxy sends nothing to weight 0, so a busy fleet would go dark.
 * NaN counts as full, since unknown is not idle.
 */
export function weightPercentOf(utilization: number): number {
  if (Number.isNaN(utilization)) return 1;
  return Math.min(100, Math.max(1, Math.round(100 * (1 - utilization))));
}

/**
 * The line with its line feed, without which HAProxy ignores it. `ready` goes with `up` and the weight on every
 * line: a percentage alone leaves a node drained that was drained, and only the agent takes back what it said.
 */
export function encodeAgentCheck(answer: AgentCheckAnswer): string {
  if (answer.adminState === 'ready') return `up ready ${answer.weightPercent}%\n`;
  // Maintenance covers health: HAProxy stops its own checks, too, until the agent says `ready`.
  return answer.adminState === 'drain' ? 'up drain\n' : 'maint\n';
}
