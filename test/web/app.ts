import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { BrowserContext, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { startBrowser } from '../browser/browser.ts'
import { startServer, type Person, type Scope, type ServerOptions } from '../helper.ts'

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
/** Errors that the browser itself logs for answers with an error's status and for lost connections. Tests cause both on purpose. */
const OF_THE_NETWORK = /^(Failed to load resource|WebSocket connection to)/
/** Milliseconds until a step of a page is given up. A busy machine may need most of them. */
const PATIENCE = 30_000

/** Starts a server and a Chromium for the web app. */
export async function startApp (scope: Scope, options: ServerOptions = {}) {
  const server = await startServer(scope, options)
  const browser = await startBrowser(scope)
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
    async profile (scope: Scope, more: BrowserContextOptions = {}): Promise<BrowserContext> {
      const context = await browser.profile(scope, { ...pageOptions, ...more })
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
      await page.goto(`${url}/login`)
      await logIn(page, person)
      if (path !== '') await page.goto(`${url}/${path}`)
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

/** Returns what axe-core finds wrong with the page as it is shown, in the light and in the dark theme, a line for each place. */
export async function axe (page: Page): Promise<string[]> {
  const found: string[] = []
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme })
    // The debugger evaluates the script, so the page's own policy neither refuses it nor is weakened.
    await page.evaluate(axeSource)
    const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: { run (): Promise<AxeResults> } }).axe.run())
    for (const { id, nodes } of violations) {
      for (const { html, failureSummary } of nodes) found.push(`${colorScheme}: ${id}: ${html}: ${failureSummary}`)
    }
  }
  await page.emulateMedia({ colorScheme: 'light' })
  return found
}
