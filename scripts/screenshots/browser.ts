import { chromium, type Browser, type Page } from 'playwright-core'
import { chromiumOptions } from '../chromium.ts'
import { PASSWORD } from '../demo/people.ts'
import { findPrograms } from '../service.ts'

/** Milliseconds until a step of a page is given up. A busy machine may need most of them. */
const PATIENCE = 60_000
/** Errors that the browser itself logs for answers with an error's status and for lost connections. Some pictures cause them on purpose. */
const OF_THE_NETWORK = /^(Failed to load resource|WebSocket connection to)/

/** Fonts for every language and picture of the demo, so that each machine makes the same pictures. */
const FONTS = ['fonts-noto-core', 'fonts-noto-color-emoji', 'fonts-ipafont-gothic'] as const

/** A Chromium whose pages note each error that they log. What the content security policy refuses is one. */
export async function openBrowser () {
  findPrograms(...FONTS)
  const browser: Browser = await chromium.launch(chromiumOptions())
  const errors: string[] = []
  return {
    errors,

    /** Opens a page in a profile of its own. With an email, that person has logged in. */
    async openPage (url: string, email?: string): Promise<Page> {
      const context = await browser.newContext({ locale: 'en-US', timezoneId: 'UTC', reducedMotion: 'reduce' })
      context.setDefaultTimeout(PATIENCE)
      context.on('weberror', error => { errors.push(String(error.error().stack)) })
      context.on('console', message => {
        if (message.type() === 'error' && !OF_THE_NETWORK.test(message.text())) errors.push(`${message.page()?.url()}: ${message.text()}`)
      })
      // The offer of notifications would stand above every view.
      await context.addInitScript("if (location.protocol === 'http:') localStorage.setItem('parley-web:notify-offered', 'true')")
      const page = await context.newPage()
      if (email === undefined) return page
      await page.goto(`${url}/login`)
      await page.getByLabel('Email').fill(email)
      await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByRole('navigation').first().waitFor({ state: 'attached' })
      return page
    },

    [Symbol.asyncDispose]: () => browser.close()
  }
}

export type PictureBrowser = Awaited<ReturnType<typeof openBrowser>>
