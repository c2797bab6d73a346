import tap, { type Test } from 'tap'

export type { Test }

/** The parent of a file's tests. Where several files run in one process, each file has a parent test of its own. */
export let t: Test = tap

/** Milliseconds that all tests of one file together may take. */
const FILE_TIMEOUT = 240_000

/**
 * Runs independent test files in this process, one after another. The resources of a file are closed before the next file is loaded.
 * @param files names of files in this folder.
 */
export async function runFiles (files: string[]): Promise<void> {
  for (const file of files) {
    await tap.test(`test/${file}`, { timeout: FILE_TIMEOUT }, async test => {
      t = test
      await import(`./${file}`)
    })
  }
}
