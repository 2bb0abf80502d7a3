// The files of a directory of policies, found by the policy's name and replaced as a whole.
import { constants } from 'node:fs';
import { access, lstat, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HeraldError } from '../core/error.ts';
import type { PolicyReading } from '../policy/compile-policy.ts';
import { readPolicyFile } from './config.ts';

/** Where the policies lie. */
export interface PolicyFiles {
  /** The file that holds the policy of this name, sound or not; undefined when none does. */
  find(name: string): Promise<PolicyReading | undefined>;
  /**
   * Writes a file of this name, in place of the one that is there, or where none is when it `isNew`. A reader sees the
   * old text or the new one. Throws HERALD_POLICY_UNWRITABLE with what is in the way.
   */
  write(file: string, text: string, options: { readonly isNew: boolean }): Promise<void>;
}

const fileMode = 0o640;

/** The files of this directory. `PolicyReading.file` is a name in it. */
export function createPolicyFiles(directory: string): PolicyFiles {
  return {
    async find(name) {
      const names = await readdir(directory).catch(() => []);
      const files = names.filter((each) => /^[^.].*\.ya?ml$/.test(each)).toSorted();
      for (const file of files) {
        const reading = await readPolicyFile(file, join(directory, file));
        if (reading.name === name) return reading;
      }
      return undefined;
    },
    async write(file, text, { isNew }) {
      try {
        await refuseInTheWay(join(directory, file), isNew);
        await access(directory, constants.W_OK);
        await replace(directory, file, text);
      } catch (error) {
        throw error instanceof HeraldError ? error : unwritable(directory, error);
      }
    },
  };
}

/** Kubernetes mounts a ConfigMap as links: a rename would cut the file off from it for ever. */
async function refuseInTheWay(path: string, isNew: boolean): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined || (found.isFile() && !isNew)) return;
  const what = found.isFile()
    ? 'holds another policy, or one that cannot be read: mend or rename it'
    : `is ${found.isSymbolicLink() ? 'a symbolic link' : 'no regular file'}: change the policy where it comes from`;
  throw new HeraldError('HERALD_POLICY_UNWRITABLE', `${path} ${what}`, { path });
}

/** Hidden, so that a reload in between takes no half of it for a policy. */
async function replace(directory: string, file: string, text: string): Promise<void> {
  const temporary = join(directory, `.${file}.tmp`);
  const before = await lstat(join(directory, file)).catch(() => undefined);
  try {
    const handle = await open(temporary, 'w', before === undefined ? fileMode : before.mode & 0o777);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, join(directory, file));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw error;
  }
}

function unwritable(directory: string, error: unknown): HeraldError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const mend: Readonly<Record<string, string>> = {
    ENOENT: `the directory ${directory} does not exist: make it, or name another as "policies" in herald.yaml`,
    EACCES: `${directory} may not be written by the balancer's user: give it the right to, or change the file by hand`,
    EROFS: `${directory} is on a read-only file system: mount it writable, or change the policy where it comes from`,
    ENOSPC: `${directory} has no room left: free some`,
  };
  const why =
    mend[code] ?? `${directory} cannot be written: ${error instanceof Error ? error.message : String(error)}`;
  return new HeraldError('HERALD_POLICY_UNWRITABLE', why, { directory }, { cause: error });
}
