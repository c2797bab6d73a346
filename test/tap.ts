import tap, { type Test } from 'tap'

export type { Test }

/** What the tests of a file belong to: the test that stands for the file, where several files run in one process. */
export let t: Test = tap

/** How long the tests of one file may take together, in milliseconds. */
const FILE_TIMEOUT = 120_000

/**
 * Runs test files that share nothing in this process, one after another: whatever a file began ends before the next file is loaded.
 * @param files from this folder.
 */
export async function runFiles (files: string[]): Promise<void> {
  for (const file of files) {
    await tap.test(`test/${file}`, { timeout: FILE_TIMEOUT }, async test => {
      t = test
      await import(`./${file}`)
    })
  }
}
