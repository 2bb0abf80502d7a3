// What is made of an assessment once, for all placements by it.
import type { Assessment } from '../assess.ts';

/** `make`, with a memory of the last assessment that it was asked about. */
export function perAssessment<Made>(
  make: (assessment: Assessment) => Made,
): (assessment: Assessment) => Made {
  let known: { readonly of: Assessment; readonly made: Made } | undefined;
  return (assessment) => {
    if (known?.of !== assessment) known = { of: assessment, made: make(assessment) };
    return known.made;
  };
}
