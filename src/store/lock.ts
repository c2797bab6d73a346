import { once } from 'node:events'
import { closeSync, openSync, renameSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { randomUUID } from 'node:crypto'
import { DatabaseError } from './database-error.ts'

const NAME = 'parley.sock'
/** `sun_path` holds 108 bytes on Linux, 104 on macOS, the final NUL included. */
const MAX_SOCKET_PATH = 103

/**
 * Makes this process the only user of a data directory, until it ends or calls the returned function. The lock is a
 * listening Unix socket: unlike a pid file it cannot outlive its process, nor mistake another container's for it.
 * @throws DatabaseError when another process holds the directory, or the directory cannot hold a socket.
 */
export async function lockDirectory (directory: string): Promise<() => Promise<void>> {
  const { path, release } = socketPath(directory)
  try {
    const server = await listenExclusively(path, directory)
    return async () => {
      server.close()
      await once(server, 'close')
      release()
    }
  } catch (error) {
    release()
    throw error
  }
}

async function listenExclusively (path: string, directory: string): Promise<Server> {
  for (;;) {
    try {
      return await listen(path)
    } catch (error) {
      if (code(error) !== 'EADDRINUSE') throw new DatabaseError(`${directory}: cannot be locked: ${(error as Error).message}`)
    }
    if (await isAlive(path)) throw inUse(directory)
    await removeStale(path, directory)
  }
}

/** Two starters may find the same stale socket; lest the slower remove the quicker one's new one, it looks again at what it moved away. */
async function removeStale (path: string, directory: string): Promise<void> {
  const aside = path.replace(NAME, `${randomUUID().slice(0, 8)}.old`)
  try {
    renameSync(path, aside)
  } catch (error) {
    if (code(error) === 'ENOENT') return
    throw error
  }
  if (await isAlive(aside)) {
    renameSync(aside, path)
    throw inUse(directory)
  }
  unlinkSync(aside)
}

async function listen (path: string): Promise<Server> {
  const server = createServer(socket => socket.destroy())
  server.listen(path)
  await once(server, 'listening')
  return server.unref()
}

async function isAlive (path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    // Anything else (a full backlog, another user's socket) is no proof that nobody is there.
    return code(error) !== 'ECONNREFUSED' && code(error) !== 'ENOENT'
  } finally {
    socket.destroy()
  }
}

/** A directory too deep for a socket's name is reached through a descriptor, which Linux names shortly. */
function socketPath (directory: string): { path: string, release: () => void } {
  const path = join(resolve(directory), NAME)
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return { path, release: () => {} }
  if (process.platform !== 'linux') throw new DatabaseError(`${directory}: too long a path for the lock; choose a shorter PARLEY_DATA_DIR`)
  const descriptor = openSync(directory, 'r')
  return { path: `/proc/self/fd/${descriptor}/${NAME}`, release: () => closeSync(descriptor) }
}

function inUse (directory: string): DatabaseError {
  return new DatabaseError(`${directory}: in use by another Parley process; stop it, or set PARLEY_DATA_DIR or DATABASE_URL`)
}

function code (error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code
}
