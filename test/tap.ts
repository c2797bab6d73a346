import asyncHooks from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import { After } from '@tapjs/after'
import type { Test } from 'tap'
import { createScope, type OwnScope, type Scope } from '../src/testing/scope.ts'
import { runningIn } from './running.ts'

export type { Test }

callAllTeardowns()
const tap = await importTap()
process.on('uncaughtException', error => { runningIn(tap).threw(error) })

/** The parent of a file's tests. Where several files run in one process, each file has a parent test of its own. */
export let t: Test = tap

const ofProcess = createScope()
/** Owns the things that the files of this process share, such as a browser, until no file is left. */
export const processScope: Scope = ofProcess

/** Milliseconds that all tests of one file together may take. */
const FILE_TIMEOUT = 1_200_000

/**
 * Runs independent test files in this process, one after another. The resources of a file are closed before the next one is loaded.
 * @param files names of files in this folder.
 */
export async function runFiles (files: Iterable<string>): Promise<void> {
  // Each file has a limit of its own.
  tap.setTimeout(0)
  for (const file of files) {
    await tap.test(`test/${file}`, { timeout: FILE_TIMEOUT }, async test => {
      t = test
      await import(`./${file}`)
    })
  }
  await ofProcess.close()
  tap.pass('no file is left for this process')
}

/**
 * Makes tap call all teardowns of a test. When one fails, tap would forget the others: a browser or server would be left, and the process
 * would not end.
 */
function callAllTeardowns (): void {
  const scopes = new WeakMap<After, OwnScope>()
  const register = After.prototype.after
  After.prototype.after = function (end) {
    const scope = scopes.get(this) ?? createScope()
    if (!scopes.has(this)) register.call(this, scope.close)
    scopes.set(this, scope)
    scope.teardown(end)
  }
}

/**
 * Imports tap without the hook by which it follows every promise and timer of the process, which costs one CPU second in fifteen. tap
 * needs it only to tell which of several running tests an error belongs to that nobody has caught. Here the innermost test that runs fails.
 */
async function importTap (): Promise<Test> {
  const { createHook } = asyncHooks
  const inactive: asyncHooks.AsyncHook = { enable: () => inactive, disable: () => inactive }
  asyncHooks.createHook = () => inactive
  syncBuiltinESMExports()
  try {
    return (await import('tap')).default
  } finally {
    asyncHooks.createHook = createHook
    syncBuiltinESMExports()
  }
}
