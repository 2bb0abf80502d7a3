// A label value from elsewhere must not grow the register without end.

/** Passes the first `limit` different values, and 'other' for every later one. */
export function boundedLabel(limit: number): (value: string) => string {
  const known = new Set<string>();
  return (value) => {
    if (known.has(value)) return value;
    if (known.size >= limit) return 'other';
    known.add(value);
    return value;
  };
}
