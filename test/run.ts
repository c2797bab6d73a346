// Runs test files in this process, one after another: of those that TEST_FILES names, each one that no other process has begun. TEST_BEGUN
// is the folder in which a process creates a file for each one that it begins (scripts/programs.mjs). Neither is an argument of this
// process, because tap makes the names of its folders of the arguments.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runFiles } from './tap.ts'

const { TEST_BEGUN: folder = '', TEST_FILES: files = '' } = process.env

function begin (file: string): boolean {
  try {
    writeFileSync(join(folder, encodeURIComponent(file)), '', { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function * begun (): Iterable<string> {
  for (const file of files.split(' ')) if (begin(file)) yield file
}

await runFiles(begun())
