// How every command ends. Scripts depend on these numbers: they are API.

/** Exit codes by meaning. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  /** A guard said no; `--force` may override it. */
  refused: 3,
  /** No balancer answers, or it does not let us. */
  unreachable: 4,
  deadlinePassed: 5,
  interrupted: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
