import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmdirSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Scope } from '../helper.ts'

/** Mounts a new file system of this size. @returns its folder, or undefined where mounting is not permitted. */
export function mountDisk (scope: Scope, megabytes: number): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'parley-disk-'))
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=755`, 'tmpfs', folder])
  scope.teardown(() => {
    if (status === 0) spawnSync('umount', ['--lazy', folder])
    rmdirSync(folder)
  })
  return status === 0 ? folder : undefined
}

/** Fills every free block of the disk with a file at `path`. */
export function fillDisk (path: string): void {
  const file = openSync(path, 'w')
  try {
    for (let size = 1 << 20; size >= 4096;) {
      try {
        writeSync(file, Buffer.alloc(size))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
        size /= 2
      }
    }
  } finally {
    closeSync(file)
  }
}
