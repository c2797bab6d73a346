import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { root } from '../../scripts/root.ts'
import { openProfile } from '../browser/browser.ts'
import type { Scope } from '../helper.ts'

/**
 * Opens an empty page of the server itself, because Chromium lets no page from elsewhere connect to this machine. The page is an answer
 * to a REST call, whose security policy forbids everything.
 */
export async function openEmptyPage (scope: Scope, origin: string): Promise<Page> {
  const page = await (await openProfile(scope, { bypassCSP: true })).newPage()
  await page.goto(`${origin}/healthz`)
  await page.evaluate('document.body.innerHTML = \'<div id="root"></div>\'')
  return page
}

/** Runs a script in JavaScript with JSX in a page. It may import packages. */
export async function run (page: Page, source: string): Promise<void> {
  const { outputFiles } = await build({
    stdin: { contents: source, loader: 'jsx', resolveDir: root },
    // React's StrictMode repeats effects only in development.
    bundle: true, write: false, format: 'iife', jsx: 'automatic', define: { 'process.env.NODE_ENV': '"development"' }
  })
  await page.evaluate(outputFiles[0]!.text)
}
