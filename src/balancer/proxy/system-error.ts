// Turns libuv's error numbers into the errors that documented sockets give.
import { getSystemErrorName } from 'node:util';

/** `status` is a negative libuv error number, `syscall` what failed. The stack says nothing and is short. */
export function systemError(status: number, syscall: string): NodeJS.ErrnoException {
  const code = getSystemErrorName(status);
  return Object.assign(new Error(`${syscall} ${code}`), { errno: status, code, syscall });
}
