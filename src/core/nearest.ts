// The name that a misspelt one probably meant, and how to ask for it.

/**
 * Damerau-Levenshtein distance with adjacent transpositions (optimal string alignment; Damerau 1964):
 * the number of insertions, deletions, replacements and swaps of neighbours between two words.
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + (same ? 0 : 1),
        swapped ? at(beforeLast, column - 2) + 1 : Infinity,
      );
    }
    beforeLast = last;
    last = current;
  }
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}

/**
 * The known name nearest to `name`, ignoring case; undefined when none is near enough to be meant:
 * one edit in words of up to four letters, then one more for every three letters, three at most.
 */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.min(3, Math.max(1, Math.floor(name.length / 3))) + 1;
  for (const candidate of known) {
    // Length first: a key of a megabyte must not cost a megabyte times the candidates.
    if (Math.abs(candidate.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, candidate.toLowerCase());
    if (distance >= bestDistance) continue;
    best = candidate;
    bestDistance = distance;
  }
  return best;
}

/** `; did you mean 'cpu'?` to end a sentence with; '' when no known name is near. */
export function meantHint(name: string, known: Iterable<string>): string {
  const near = nearest(name, known);
  return near === undefined ? '' : `; did you mean '${near}'?`;
}

/** `did you mean cpu?`, else `known: a, b, c` up to a dozen names; '' when nothing is known. */
export function nameHint(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  if (near !== undefined) return `did you mean ${near}?`;
  if (known.length === 0) return '';
  return `known: ${known.slice(0, 12).join(', ')}${known.length > 12 ? ', …' : ''}`;
}
