import { once } from 'node:events'
import { chmodSync, closeSync, existsSync, openSync, renameSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { randomUUID } from 'node:crypto'
import { DatabaseError } from './database-error.ts'

const NAME = 'parley.sock'
/** Bytes. A Unix socket's path (`sun_path`) may have 108 bytes on Linux and 104 on macOS, including the final NUL. */
const MAX_SOCKET_PATH = 103

/**
 * Makes this process the only user of a data directory until the process ends or calls the returned function. The lock is a listening
 * Unix socket. Unlike a pid file, it cannot outlive its process, and no process of another container can be mistaken for its owner.
 * @param onConnection receives the connections of other processes to the socket, which only processes of the same user can open. It has to
 *   end them: unlocking waits until they have ended.
 * @throws DatabaseError when another process holds the directory, or the directory cannot hold a socket.
 */
export async function lockDirectory (
  directory: string, onConnection: (socket: Socket) => void = socket => { socket.destroy() }
): Promise<() => Promise<void>> {
  const { path, release } = socketPath(directory)
  try {
    const server = await listenExclusively(path, directory, onConnection)
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

/** Connects to the process that has locked a data directory; undefined if there is none. */
export async function connectToOwner (directory: string): Promise<Socket | undefined> {
  if (!existsSync(directory)) return undefined
  const { path, release } = socketPath(directory)
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return socket
  } catch (error) {
    if (isAbsence(error)) return undefined
    throw new DatabaseError(`${directory}: the process that uses it cannot be reached: ${(error as Error).message}`)
  } finally {
    release()
  }
}

async function listenExclusively (path: string, directory: string, onConnection: (socket: Socket) => void): Promise<Server> {
  for (;;) {
    try {
      return await listen(path, onConnection)
    } catch (error) {
      if (code(error) !== 'EADDRINUSE') throw new DatabaseError(`${directory}: cannot be locked: ${(error as Error).message}`)
    }
    if (await isAlive(path)) throw inUse(directory)
    await removeStale(path, directory)
  }
}

/**
 * Removes a socket that no process listens on. Another process that starts at the same time may already have replaced the stale socket by
 * its own, so the socket is renamed first, checked again, and put back where it is alive.
 */
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

async function listen (path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection)
  server.listen(path)
  await once(server, 'listening')
  chmodSync(path, 0o600)
  return server.unref()
}

async function isAlive (path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    return !isAbsence(error)
  } finally {
    socket.destroy()
  }
}

/** Whether an error proves that no process listens. Those of a full backlog or of another user's socket do not. */
function isAbsence (error: unknown): boolean {
  return code(error) === 'ECONNREFUSED' || code(error) === 'ENOENT'
}

/** Returns a path for the lock's socket. On Linux, a path that is too long for a socket is replaced by a short one under /proc/self/fd. */
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
