// Every table of raw requests and answers, in the order of docs/request-hygiene.md.
import type { HygieneTable } from './case.ts';
import { framingPart1 } from './framing-1.ts';
import { framingPart2 } from './framing-2.ts';
import { chunks } from './chunks.ts';
import { linesPart1 } from './lines-1.ts';
import { linesPart2 } from './lines-2.ts';
import { targetsPart1 } from './targets-1.ts';
import { targetsPart2 } from './targets-2.ts';
import { hops } from './hops.ts';
import { upgrades } from './upgrades.ts';
import { answersPart1 } from './answers-1.ts';
import { answersPart2 } from './answers-2.ts';

/** All of them. */
export const hygieneTables: readonly HygieneTable[] = [
  {
    title: 'Where a body ends',
    about:
      "A body whose end two readers see in two places is a request in somebody else's name: the smuggler's tool. RFC 9112, section 6.",
    cases: [...framingPart1, ...framingPart2],
  },
  {
    title: 'Chunks',
    about:
      'Each chunk says its length; a reader that takes another one is desynchronised. RFC 9112, section 7.1. The head of such a request is sound and has gone to the node before the chunk comes: what counts is that the node never gets a whole message out of it.',
    cases: chunks,
  },
  {
    title: 'Lines and fields',
    about: 'How a head is cut into lines, and a line into name and value. RFC 9112, sections 2.2 and 5.',
    cases: [...linesPart1, ...linesPart2],
  },
  {
    title: 'The request line and Host',
    about:
      'Which service, and which path: who is asked for must be the same for everybody on the way. RFC 9112, section 3.',
    cases: [...targetsPart1, ...targetsPart2],
  },
  {
    title: 'Hop by hop',
    about:
      'What concerns one hop ends at this hop, and nobody may use that to take a field away from the node. RFC 9110, section 7.6.1.',
    cases: hops,
  },
  {
    title: 'Upgrades',
    about:
      'After a 101 nobody parses any more: what passes for an upgrade here and not at the node is a tunnel for requests. RFC 9110, section 7.8.',
    cases: upgrades,
  },
  {
    title: 'Answers of the node',
    about:
      'A node that can be made to answer twice, or whose answer can be read in two ways, serves one client what was meant for another. RFC 9112, section 6.3.',
    cases: [...answersPart1, ...answersPart2],
  },
];
