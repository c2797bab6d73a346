import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults, RunOptions } from 'axe-core'
import type { BrowserContext, Locator, Page } from 'playwright-core'
import { openProfile, type ProfileOptions } from '../browser/browser.ts'
import { startServer, type Person, type Scope, type ServerOptions } from '../helper.ts'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Errors that the browser itself logs for answers with an error's status and for lost connections. Tests cause both on purpose. */
const OF_THE_NETWORK = /^(Failed to load resource|WebSocket connection to)/
/** The rules of axe-core that judge colors. */
const RULES_OF_COLORS = ['color-contrast', 'link-in-text-block']
/** Milliseconds until a step of a page is given up. A busy machine may need most of them. */
const PATIENCE = 30_000

/** Starts a server for the web app, which pages of this process's Chromium open. */
export async function startApp (scope: Scope, options: ServerOptions = {}) {
  const server = await startServer(scope, options)
  // The service worker, which loads the whole app, is allowed only where a test is about it.
  const pageOptions = {
    locale: 'en-US', timezoneId: 'UTC', colorScheme: 'light', reducedMotion: 'reduce', serviceWorkers: 'block'
  } as const

  return {
    server,

    /**
     * Opens a browser profile of its own, without a login. When the test ends, it fails if a page has logged an error: everything that the
     * content security policy refuses is one.
     */
    async profile (scope: Scope, more: ProfileOptions = {}): Promise<BrowserContext> {
      const context = await openProfile(scope, { ...pageOptions, ...more })
      context.setDefaultTimeout(PATIENCE)
      const errors: string[] = []
      context.on('weberror', error => { errors.push(String(error.error().stack)) })
      context.on('console', message => {
        if (message.type() === 'error' && !OF_THE_NETWORK.test(message.text())) errors.push(message.text())
      })
      scope.teardown(() => { if (errors.length > 0) throw new Error(`a page has logged errors:\n${errors.join('\n')}`) })
      return context
    },

    /** Opens the app at this path, such as `c/general`, as a person who has logged in. `url`: where the server is reached. */
    async open (context: BrowserContext, person: Person, path = '', url = server.origin): Promise<Page> {
      const page = await context.newPage()
      await page.goto(`${url}/${path}`)
      await logIn(page, person)
      return page
    }
  }
}

export type App = Awaited<ReturnType<typeof startApp>>

/** Logs in on the page that shows the form for it, and waits until the app is there. */
export async function logIn (page: Page, { email, password }: Pick<Person, 'email' | 'password'>): Promise<void> {
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('navigation').first().waitFor({ state: 'attached' })
}

/** Writes a message into the channel that the page shows, and sends it. */
export async function say (page: Page, text: string): Promise<void> {
  const field = page.getByRole('textbox', { name: /^Message / })
  await field.fill(text)
  await field.press('Enter')
}

/** Finds a message in the list of the channel, where a part of the page that only screen readers know also has its text. */
export function said (page: Page, text: string): Locator {
  return page.locator('.message').getByText(text, { exact: true })
}

/**
 * Returns what axe-core finds wrong with the page as it is shown, in the light and in the dark theme, a line for each place. The themes
 * differ in colors only, so in the dark one only the rules about colors apply.
 */
export async function axe (page: Page): Promise<string[]> {
  // The debugger evaluates the script, so the page's own policy neither refuses it nor is weakened.
  if (!await page.evaluate('"axe" in globalThis')) await page.evaluate(axeSource)
  const light = await page.evaluate(findViolations, {})
  await page.emulateMedia({ colorScheme: 'dark' })
  const dark = await page.evaluate(findViolations, { runOnly: RULES_OF_COLORS })
  await page.emulateMedia({ colorScheme: 'light' })
  return [...light.map(line => `light: ${line}`), ...dark.map(line => `dark: ${line}`)]
}

/** Runs in the page. */
async function findViolations (options: RunOptions): Promise<string[]> {
  const { axe } = globalThis as unknown as { axe: { run (options: RunOptions): Promise<AxeResults> } }
  const { violations } = await axe.run({ ...options, resultTypes: ['violations'] })
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}: ${failureSummary}`))
}
