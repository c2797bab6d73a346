import type { createParley, Parley } from '@parley/client'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { chromiumOptions, type ChromiumProgram } from '../../scripts/chromium.ts'
import { eventually } from '../eventually.ts'
import type { Scope } from '../helper.ts'
import { processScope } from '../tap.ts'
import { chromium } from './playwright.ts'

/** The globals of the page of `startSite`, and those that tests put there. */
interface Globals {
  createParley: typeof createParley
  parley: Parley
  navigator: { locks: { query (): Promise<{ held: Array<{ name: string }> }> } }
}

/** Options of the page's client. `login`: a stored login of `parley.account`; otherwise `token` is the access token. */
export interface TabOptions { token?: string, login?: string, tabs?: 'shared' | 'own', storage?: 'indexeddb', room: string }

/** Options of a profile, and the program that it is a profile of: the headless shell unless a test needs notifications. */
export type ProfileOptions = BrowserContextOptions & { program?: ChromiumProgram }

const launched = new Map<ChromiumProgram, Promise<Browser>>()

/**
 * Returns the Chromium of this process, in which all tests have profiles of their own. The first test that needs it starts it, and so does
 * the next one where it has crashed or has not started.
 */
function browserOfProcess (program: ChromiumProgram): Promise<Browser> {
  const running = launched.get(program) ?? launch(program)
  launched.set(program, running)
  return running
}

async function launch (program: ChromiumProgram): Promise<Browser> {
  const forget = (): void => { launched.delete(program) }
  try {
    const browser = await chromium.launch(chromiumOptions(program))
    browser.on('disconnected', forget)
    processScope.teardown(() => browser.close())
    return browser
  } catch (error) {
    forget()
    throw error
  }
}

/** Opens a browser profile of its own: its pages share storage, locks and workers. */
export async function openProfile (scope: Scope, options: ProfileOptions = {}): Promise<BrowserContext> {
  const { program = 'chromium-headless-shell', ...more } = options
  const browser = await browserOfProcess(program)
  const context = await browser.newContext(more)
  scope.teardown(() => context.close())
  return context
}

/** Stops all processes of the headless shell, as the sleep of a machine does. @returns a function that lets them go on. */
export async function stopBrowser (): Promise<() => void> {
  const session = await (await browserOfProcess('chromium-headless-shell')).newBrowserCDPSession()
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  await session.detach()
  const signal = (name: NodeJS.Signals): void => { for (const { id } of processInfo) process.kill(id, name) }
  signal('SIGSTOP')
  return () => signal('SIGCONT')
}

/** Opens a tab of the site with a client that leads to `url`, connects it, and opens its channel. */
export async function openTab (context: BrowserContext, site: string, url: string, options: TabOptions) {
  const page = await context.newPage()
  const tab = createTab(page, url, options)
  await page.goto(site)
  await tab.start()
  return tab
}

function createTab (page: Page, url: string, options: TabOptions) {
  const name = options.room
  const errors: string[] = []
  page.on('console', message => { if (message.type() === 'error') errors.push(message.text()) })
  page.on('pageerror', error => { errors.push(String(error)) })

  /** Sends messages, without waiting until they are stored. `isReloaded`: the page is loaded anew in the same instant. */
  const send = (texts: string[], isReloaded: boolean) => page.evaluate(({ name, texts, isReloaded }) => {
    const { parley, location } = globalThis as unknown as Globals & { location: { reload (): void } }
    for (const text of texts) parley.channel(name).send(text).catch(() => {})
    if (isReloaded) location.reload()
  }, { name, texts, isReloaded })

  return {
    page,
    /** Errors of the page and those that it has logged. */
    errors,

    /** Creates the page's client, connects it and opens the channel. */
    async start (): Promise<void> {
      await page.evaluate(({ url, name, token, login, tabs, storage }) => {
        const globals = globalThis as unknown as Globals & { localStorage: { setItem (key: string, value: string): void } }
        if (login) globals.localStorage.setItem(`parley:${url}`, login)
        globals.parley = globals.createParley({
          url, ...token && { token: () => token }, ...tabs && { tabs }, ...storage && { outbox: { storage } }
        })
        globals.parley.channel(name).open()
        globals.parley.connect()
      }, { url, name, ...options })
    },

    /** Loads the page anew, as F5 does, and starts its client. `texts`: messages that the page sends in the last instant. */
    async reload (...texts: string[]): Promise<void> {
      await Promise.all([page.waitForEvent('load'), send(texts, true)])
      await this.start()
    },

    state: () => page.evaluate(() => (globalThis as unknown as Globals).parley.getSnapshot().state),
    channel: () => page.evaluate(name => (globalThis as unknown as Globals).parley.channel(name).getSnapshot(), name),
    texts: () => page.evaluate(name =>
      (globalThis as unknown as Globals).parley.channel(name).getSnapshot().messages.map(({ message }) => message), name),
    outbox: () => page.evaluate(name =>
      (globalThis as unknown as Globals).parley.channel(name).getSnapshot().outbox.map(({ text }) => text), name),
    send: (...texts: string[]) => send(texts, false),
    refresh: () => page.evaluate(() => (globalThis as unknown as Globals).parley.account.refresh()),
    user: () => page.evaluate(() => (globalThis as unknown as Globals).parley.account.getSnapshot()),
    disconnect: () => page.evaluate(() => (globalThis as unknown as Globals).parley.disconnect()),
    connect: () => page.evaluate(() => (globalThis as unknown as Globals).parley.connect()),
    close: () => page.close(),
    /** Names of the Web Locks that the origin holds. */
    locks: () => page.evaluate(async () =>
      (await (globalThis as unknown as Globals).navigator.locks.query()).held.map(({ name }) => name)),

    /** The renderer process ends as in a crash. */
    async crash (): Promise<void> {
      const session = await page.context().newCDPSession(page)
      const crashed = page.waitForEvent('crash')
      session.send('Page.crash').catch(() => {})
      await crashed
    }
  }
}

/** Waits until the channels of these tabs are live. */
export async function untilLive (...tabs: Tab[]): Promise<void> {
  for (const tab of tabs) {
    await eventually(async () => (await tab.channel()).state === 'live', 20_000).catch(async error => {
      const state = await tab.page.evaluate(() => (globalThis as unknown as Globals).parley.getSnapshot())
      throw new Error(`${error.message}: ${JSON.stringify([state, await tab.channel(), tab.errors])}`)
    })
  }
}

export type Tab = Awaited<ReturnType<typeof openTab>>
