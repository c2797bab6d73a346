import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { root } from '../../scripts/root.ts'
import { openProfile } from '../browser/browser.ts'
import { eventually } from '../eventually.ts'
import type { Scope } from '../helper.ts'
import { node } from '../node.ts'
import type { Test } from '../tap.ts'

/** Milliseconds that the start of an example may take on a machine under full load. */
const START_TIMEOUT = 100_000

/** Runs a program of Node until the test ends, and collects what it prints. */
export function run (t: Scope, args: string[], env: Record<string, string> = {}) {
  const [command, ...options] = node()
  const child = spawn(command, [...options, ...args], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const exited = once(child, 'close')
  async function stop (): Promise<void> {
    child.kill('SIGTERM')
    await exited
  }
  t.teardown(stop)
  return { output: () => output, stop, exited }
}

/** Runs `npm run example -- NAME`. @returns the addresses of the example's page and of its server. */
export async function runExample (t: Scope, name: string): Promise<{ url: string, server: string }> {
  const { output, exited } = run(t, [join(root, 'dist/scripts/example.js'), name])
  let hasEnded = false
  exited.then(() => { hasEnded = true })
  const url = await eventually(() => {
    if (hasEnded) throw new Error(output())
    return /^Open (\S+)$/m.exec(output())?.[1]
  }, START_TIMEOUT)
  return { url, server: new URL(url).searchParams.get('server')! }
}

/** Opens a page in a profile of its own. The test fails with what the page writes to the console as an error. */
export async function openPage (t: Test, url: string, width: number): Promise<Page> {
  const page = await (await openProfile(t, { viewport: { width, height: 800 } })).newPage()
  page.on('pageerror', error => t.fail(error.message))
  page.on('console', message => { if (message.type() === 'error') t.fail(message.text()) })
  await page.goto(url)
  return page
}

/** Returns whether the page is as wide as its window, also with a long word in it. */
export function fits (page: Page): Promise<boolean> {
  // A text, because the types of this code do not know the browser's names.
  return page.evaluate<boolean>('document.documentElement.scrollWidth <= window.innerWidth')
}
