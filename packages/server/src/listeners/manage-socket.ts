/** The management socket: whoever may open the file is an operator, so its mode is the whole protection. */
import { chmodSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { createListener, ListenError, type Listener, type ListenerLimits } from './listener.ts';

/** `sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing NUL. */
const MAX_PATH_BYTES = 103;

/**
 * Opens a Unix socket with mode 0600 and removes one that a dead process left. Undefined when a living process has it.
 * Throws {@link ListenError}.
 */
export async function openManageSocket(path: string, limits: ListenerLimits): Promise<Listener | undefined> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw new ListenError(
      `the path of the management socket is longer than ${MAX_PATH_BYTES} bytes; set manageSocket to a shorter one`,
      undefined,
    );
  }
  for (let attempt = 0; attempt < 2; attempt++) {
    const listener = createListener({ tls: false, limits });
    const outcome = await bindSocket(listener.server, path);
    if (outcome === 'bound') return listener.opened(path);
    if (outcome !== 'EADDRINUSE') {
      throw new ListenError(`cannot open the management socket ${path} (${outcome}); set manageSocket`, undefined);
    }
    if (await isAlive(path)) return undefined;
    unlinkSync(path);
  }
  return undefined;
}

function bindSocket(server: ReturnType<typeof createListener>['server'], path: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
  // the file is made within `listen`, before it returns: no moment with wider permissions
  const mask = process.umask(0o177);
  try {
    server.listen(path, () => resolve('bound'));
  } finally {
    process.umask(mask);
  }
  return promise.then((outcome) => {
    server.removeAllListeners('error');
    if (outcome === 'bound') chmodSync(path, 0o600);
    return outcome;
  });
}

function isAlive(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(path);
  probe.once('connect', () => resolve(true));
  probe.once('error', (error: NodeJS.ErrnoException) =>
    resolve(error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT'),
  );
  probe.setTimeout(1_000, () => resolve(true));
  return promise.finally(() => probe.destroy());
}
