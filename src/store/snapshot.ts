import { constants } from 'node:fs'
import { copyFile, mkdir, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { makeDirectory } from './data-directory.ts'
import { DatabaseError } from './database-error.ts'
import { lockDirectory } from './lock.ts'

/** Bytes that have to stay free on the disk, twice of what the server needs (engine.ts). */
const RESERVE = 40 * 1_048_576
/** Files that are copied at a time. */
const AT_ONCE = 16

/** Returns the folder in which the copy of an embedded database is made. It is within the data directory, so nobody else may read it. */
export function snapshotDirectory (directory: string): string {
  return join(directory, 'snapshot')
}

/**
 * Copies the files of an embedded database while no statement runs. The copy has what had been committed by then, as after a SIGKILL: the
 * engine reads its write-ahead log when it opens the copy.
 * @throws DatabaseError if a process uses the last copy, or the disk has too little room.
 */
export async function makeSnapshot (directory: string, exclusively: (copy: () => Promise<void>) => Promise<void>): Promise<void> {
  const target = snapshotDirectory(directory)
  makeDirectory(target)
  const unlock = await lockDirectory(target)
  try {
    await removeFiles(target)
    await exclusively(() => copyFiles(join(directory, 'pglite'), join(target, 'pglite')))
  } catch (error) {
    await removeFiles(target)
    throw error
  } finally {
    await unlock()
  }
}

async function removeFiles (target: string): Promise<void> {
  await rm(join(target, 'pglite'), { recursive: true, force: true })
}

async function copyFiles (source: string, target: string): Promise<void> {
  const entries = await readdir(source, { recursive: true, withFileTypes: true })
  const places = entries.map(entry => ({ isFile: entry.isFile(), path: relative(resolve(source), resolve(entry.parentPath, entry.name)) }))
  await mkdir(target, { mode: 0o700 })
  for (const { isFile, path } of places) if (!isFile) await mkdir(join(target, path))
  const files = places.filter(({ isFile }) => isFile).map(({ path }) => path)
  await checkRoom(source, files)
  // Where the file system can, the copy shares its blocks with the original.
  await forEach(files, path => copyFile(join(source, path), join(target, path), constants.COPYFILE_FICLONE))
}

/** @throws DatabaseError if the copy could fill the disk under the running database. */
async function checkRoom (source: string, files: string[]): Promise<void> {
  let bytes = 0
  await forEach(files, async path => { bytes += (await stat(join(source, path))).size })
  const { bavail, bsize } = await statfs(source)
  if (bavail * bsize >= bytes + RESERVE) return
  throw new DatabaseError(`the disk has too little room for a copy: ${Math.ceil((bytes + RESERVE) / 1_048_576)} MiB have to be free`)
}

async function forEach (paths: string[], call: (path: string) => Promise<void>): Promise<void> {
  const left = paths[Symbol.iterator]()
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { for (const path of left) await call(path) }))
}
