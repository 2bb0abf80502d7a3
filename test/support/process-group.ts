// Whether a command has left anything running: its children are of its process group.

/** Whether any process of the group is left. */
export function hasGroup(pid: number): boolean {
  try {
    return process.kill(-pid, 0);
  } catch {
    return false;
  }
}
