// Runs test files in this process, one after another: of those that the arguments name, each one that no other process has begun. The first
// argument is the folder in which a process creates a file for each one that it begins (scripts/programs.mjs).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runFiles } from './tap.ts'

const [folder = '', ...files] = process.argv.slice(2)

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
  for (const file of files) if (begin(file)) yield file
}

await runFiles(begun())
