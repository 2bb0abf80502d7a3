// `herald events`: what has happened, and with --follow what happens.
import { InvalidArgumentError, type Command } from 'commander';
import { stringify } from 'yaml';
import type { EventRecord } from '../../protocol/operations.ts';
import { outputOption, withAdminClient, withTargetOptions, type AdminFlags } from '../admin-options.ts';
import { followEvents } from '../follow-events.ts';
import type { CliIo } from '../io.ts';
import { columnsOf, paintFor, widthOf, wrapText, type Paint } from '../table.ts';

interface Flags extends AdminFlags {
  readonly follow: boolean;
  readonly since?: string;
  readonly pool?: string;
  readonly type?: string;
}

// Below the time of the line above.
const indent = ' '.repeat(7);

/** Adds `herald events`. */
export function registerEvents(program: Command, io: CliIo): void {
  withTargetOptions(program.command('events'))
    .description('show the events that are kept; --follow goes on with new ones')
    .option('-f, --follow', 'stay and show events as they come', false)
    .option('--since <id>', 'only events after this one; with --follow: begin with them', idFlag)
    .option('--pool <pool>', 'only events of this pool')
    .option(
      '--type <types>',
      'only these types, such as node.joined or operation.*, with commas between',
      typeFlag,
    )
    .addOption(outputOption(['table', 'json', 'yaml']))
    .action((flags: Flags) => showEvents(flags, io));
}

async function showEvents(flags: Flags, io: CliIo): Promise<void> {
  const { follow, output } = flags;
  const paint = paintFor(io.stdout, io.env);
  const kept: EventRecord[] = [];
  let heard = 0;
  const hear = (event: EventRecord) => {
    heard += 1;
    const columns = columnsOf(io.stdout, io.env);
    if (output === 'table') io.stdout.write(`${eventLines(event, { paint, columns }).join('\n')}\n`);
    else if (!follow) kept.push(event);
    // One document each: a JSON line, or a YAML document of a stream.
    else io.stdout.write(output === 'json' ? `${JSON.stringify(event)}\n` : `---\n${stringify(event)}`);
  };
  const wish = {
    path: pathOf(flags),
    // Whoever only looks wants what is kept, whoever follows what is new.
    since: flags.since ?? (follow ? '' : '0'),
    follow,
    hear,
    say: (text: string) => void io.stderr.write(`${text}\n`),
  };
  await withAdminClient(flags, io, (client) => followEvents(client, wish, io));
  // Nothing at all on both streams would leave open whether anybody was asked.
  if (!follow && output === 'table' && heard === 0) io.stderr.write(`${emptySentence(flags)}\n`);
  if (follow || output === 'table') return;
  const answer = { events: kept };
  io.stdout.write(output === 'json' ? `${JSON.stringify(answer, undefined, 2)}\n` : stringify(answer));
}

function emptySentence({ since, pool, type }: Flags): string {
  const isNarrowed = since !== undefined || pool !== undefined || type !== undefined;
  return isNarrowed ? 'no event that is kept is one of these' : 'no events: nothing has happened yet';
}

/**
 * `12  10:02:18  node.joined  chat/a  node a joined … (by local: why)`; where that is longer than `columns` the sentence
 * stands below what it is about.
 */
export function eventLines(
  { id, at, type, pool, node, by, why, message }: EventRecord,
  { paint, columns }: { paint: Paint; columns: number },
): string[] {
  const about = [pool, node].filter((part) => part !== '').join('/');
  const who = [by, why].filter((part) => part !== '').join(': ');
  const head = [
    String(id).padStart(5),
    paint('dim', at.slice(0, 19).replace('T', ' ')),
    paint(colourOf(type), type),
  ].join('  ');
  const headWithSubject = about === '' ? head : `${head}  ${paint('bold', about)}`;
  const told = `${message}${who === '' ? '' : ` (${who})`}`;
  const line = `${headWithSubject}  ${told}`;
  if (widthOf(line) <= columns) return [line];
  const below = (text: string) => wrapText(text, columns - indent.length).map((part) => indent + part);
  if (widthOf(headWithSubject) <= columns) return [headWithSubject, ...below(told)];
  return [head, ...below(`${paint('bold', about)}: ${told}`)];
}

function colourOf(type: string): 'red' | 'yellow' | 'cyan' {
  if (/down|refused|breaker|cut|failed/.test(type)) return 'red';
  return /drain|freeze|ejected|left|adminState/.test(type) ? 'yellow' : 'cyan';
}

function pathOf({ pool, type }: Flags): string {
  const query = new URLSearchParams({
    ...(pool !== undefined && { pool }),
    ...(type !== undefined && { type }),
  });
  return query.size === 0 ? '/v1/events' : `/v1/events?${query.toString()}`;
}

function idFlag(text: string): string {
  if (/^[\w.-]{1,40}$/.test(text)) return text;
  throw new InvalidArgumentError('write the id of an event, such as 42; 0 means all that are kept.');
}

function typeFlag(text: string): string {
  if (/^[A-Za-z.*-]{1,64}(,[A-Za-z.*-]{1,64}){0,15}$/.test(text)) return text;
  throw new InvalidArgumentError('write names such as node.joined or operation.*, with commas between.');
}
