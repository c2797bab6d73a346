import { constants, type Dirent } from 'node:fs'
import { copyFile, mkdir, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join, relative } from 'node:path'
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
    await checkRoom(join(directory, 'pglite'))
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

/** Copies a folder. Where the file system can, the copy shares its blocks with the original. */
async function copyFiles (source: string, target: string): Promise<void> {
  const { folders, files } = await list(source)
  await mkdir(target, { mode: 0o700 })
  for (const path of folders) await mkdir(join(target, path))
  await forEach(files, path => copyFile(join(source, path), join(target, path), constants.COPYFILE_FICLONE))
}

/** @throws DatabaseError if the copy could fill the disk under the running database. */
async function checkRoom (source: string): Promise<void> {
  let bytes = 0
  const { files } = await list(source)
  // The engine removes files that it no longer needs.
  await forEach(files, async path => { bytes += await stat(join(source, path)).then(({ size }) => size, () => 0) })
  const { bavail, bsize } = await statfs(source)
  if (bavail * bsize >= bytes + RESERVE) return
  throw new DatabaseError(`the disk has too little room for a copy: ${Math.ceil((bytes + RESERVE) / 1_048_576)} MiB have to be free`)
}

/** Lists the folders, each before those in it, and the files in a folder, relative to it. */
async function list (folder: string): Promise<{ folders: string[], files: string[] }> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const pathOf = ({ parentPath, name }: Dirent): string => relative(folder, join(parentPath, name))
  return {
    folders: entries.filter(entry => entry.isDirectory()).map(pathOf).sort(),
    files: entries.filter(entry => entry.isFile()).map(pathOf)
  }
}

async function forEach (paths: string[], call: (path: string) => Promise<void>): Promise<void> {
  const left = paths[Symbol.iterator]()
  await Promise.all(Array.from({ length: AT_ONCE }, async () => { for (const path of left) await call(path) }))
}
