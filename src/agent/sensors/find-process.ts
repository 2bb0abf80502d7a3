// Which process is meant: the one whose id a file holds, or those that listen at a TCP port.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../../core/clock.ts';
import { listeningInodes } from './listening-inodes.ts';
import { createPace } from './pace.ts';
import { readProcessStat, type ProcessStat } from './proc-stat.ts';
import { codeOf, readLink, readNames } from './read-file.ts';

/** The processes at the top of a tree, at least one; or why there is none. */
export type FoundProcesses = readonly ProcessStat[] | { readonly missing: string };

/** Looks for the processes now. */
export type FindProcesses = () => FoundProcesses;

/** A process id has at most 7 digits; a file with more holds something else. */
const maxPidFileBytes = 64;

/** Finds the process whose id `path` holds. */
export function findByPidFile(root: string, path: string): FindProcesses {
  return () => {
    const read = readPidFile(path);
    if ('missing' in read) return { missing: `pid file ${path} ${read.missing}` };
    const stat = readProcessStat(root, read.pid);
    if (stat !== undefined) return [stat];
    return { missing: `no process has the id ${read.pid} of pid file ${path}; has it ended?` };
  };
}

function readPidFile(path: string): { readonly pid: number } | { readonly missing: string } {
  let descriptor: number | undefined;
  try {
    // Not blocking: opening a pipe that nobody writes would hold the agent for ever.
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (!fstatSync(descriptor).isFile()) return { missing: 'is no regular file' };
    const buffer = Buffer.alloc(maxPidFileBytes);
    const bytes = readSync(descriptor, buffer, 0, maxPidFileBytes, 0);
    const text = buffer.toString('latin1', 0, bytes).trim();
    if (/^[1-9]\d{0,6}$/.test(text)) return { pid: Number(text) };
    return { missing: 'does not hold a process id and nothing else' };
  } catch (error) {
    const code = codeOf(error);
    return { missing: code === 'ENOENT' ? 'does not exist' : `cannot be read (${code})` };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** A server that hands its port to another process is seen after this at the latest. */
const checkMs = 10_000;

/**
 * Finds the processes that listen at `port`. The kernel's table of sockets and everybody's descriptors are dear to look
 * through: the table is read every ten seconds, and the descriptors when its listening sockets have changed or the
 * process has ended. While no process is found both are looked through now and then.
 */
export function findByPort(root: string, port: number, clock: Clock): FindProcesses {
  const searching = createPace(clock);
  const checking = createPace(clock, checkMs);
  let inodesFound = '';
  let last: FoundProcesses = { missing: `nobody has looked for TCP port ${port} yet` };

  function search(inodes: ReadonlySet<string>): void {
    inodesFound = [...inodes].toSorted().join();
    last =
      inodes.size > 0 ? holders(root, port, inodes) : { missing: `nobody listens at TCP port ${port} here` };
  }

  return () => {
    const alive = stillThere(root, last);
    if (alive === undefined) {
      if (!('missing' in last)) last = { missing: `the process that listened at TCP port ${port} has ended` };
      searching.run(() => search(listeningInodes(root, port)));
      return last;
    }
    last = alive;
    checking.run(() => {
      const inodes = listeningInodes(root, port);
      if ([...inodes].toSorted().join() !== inodesFound) search(inodes);
    });
    return last;
  };
}

/** The processes as they are now; undefined when one has ended or none was found. */
function stillThere(root: string, found: FoundProcesses): readonly ProcessStat[] | undefined {
  if ('missing' in found) return undefined;
  const alive = found.flatMap((process) => {
    const stat = readProcessStat(root, process.pid);
    return stat?.startTicks === process.startTicks ? [stat] : [];
  });
  return alive.length === found.length ? alive : undefined;
}

/** Those who hold one of the sockets, without the children of others who do. */
function holders(root: string, port: number, inodes: ReadonlySet<string>): FoundProcesses {
  const links = new Set([...inodes].map((inode) => `socket:[${inode}]`));
  const found: ProcessStat[] = [];
  let hidden = 0;
  for (const name of readNames(join(root, 'proc'))) {
    if (!/^\d+$/.test(name)) continue;
    const held = holdsOne(join(root, 'proc', name, 'fd'), links);
    if (held === 'hidden') hidden += 1;
    const stat = held === true ? readProcessStat(root, Number(name)) : undefined;
    if (stat !== undefined) found.push(stat);
  }
  const ids = new Set(found.map(({ pid }) => pid));
  const top = found.filter(({ parent }) => !ids.has(parent));
  if (top.length > 0) return top;
  return {
    missing:
      `TCP port ${port} is listened at, but none of the processes that this user may look into does it ` +
      `(${hidden} may not be looked into); run the agent as the same user, share the process namespace, or use a pid file`,
  };
}

function holdsOne(directory: string, links: ReadonlySet<string>): boolean | 'hidden' {
  const probe = readLink(join(directory, '0'));
  if ('code' in probe && probe.code === 'EACCES') return 'hidden';
  for (const descriptor of readNames(directory)) {
    const link = readLink(join(directory, descriptor));
    if ('target' in link && links.has(link.target)) return true;
  }
  return false;
}
