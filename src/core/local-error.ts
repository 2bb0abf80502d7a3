// Which errors of the system say that our own side has run out, and nothing about the other one.

/**
 * Codes of want of our own: descriptors, local ports, memory, the resolver, rights. Blaming a node for one of them would
 * eject a healthy fleet because this machine is busy.
 */
export const localErrorCodes: ReadonlySet<string> = new Set([
  'EADDRNOTAVAIL',
  'EADDRINUSE',
  'EMFILE',
  'ENFILE',
  'ENOBUFS',
  'ENOMEM',
  'EAI_AGAIN',
  'EACCES',
  'EPERM',
]);
