// Waiting for what another process or the kernel does: bounded, and never a measure of time.

/** Resolves when `holds` does, looking every few milliseconds; rejects with `about` after `limitMs`. */
export async function until(holds: () => boolean, about: () => string, limitMs = 8_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(about());
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
