// Keeps the process alive while a command waits: the clock's timers do not, and neither does an idle connection.

const longMs = 2 ** 31 - 1;

/** Holds the process until the function that it returns is called. */
export function holdProcess(): () => void {
  const handle = setInterval(() => {}, longMs);
  return () => clearInterval(handle);
}
