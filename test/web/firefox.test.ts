import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launch, type Page } from 'puppeteer-core'
import { end, findPrograms } from '../../scripts/service.ts'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { startServer, type Scope } from '../helper.ts'
import { t } from '../tap.ts'

/** Milliseconds until a step of a page is given up. A busy machine may need most of them. */
const PATIENCE = 30_000

const server = await startServer(t)

/**
 * Starts Debian's Firefox with an empty profile, and drives it by WebDriver BiDi. When the scope ends, so does Firefox, and the test fails
 * if a page has logged an error: everything that the content security policy refuses is one.
 */
async function startFirefox (scope: Scope) {
  const [folder] = findPrograms('firefox-esr')
  const profile = mkdtempSync(join(tmpdir(), 'parley-firefox-'))
  const browser = await launch({
    browser: 'firefox', executablePath: join(folder!, 'firefox-esr'), userDataDir: profile, timeout: PATIENCE
  })
  const errors: string[] = []
  scope.teardown(async () => {
    // Puppeteer's own way to close the browser leaves one that hangs.
    await end({ name: 'Firefox', child: browser.process()!, folder: profile, signal: 'SIGTERM', stderr: '' })
    if (errors.length > 0) throw new Error(`a page has logged errors:\n${errors.join('\n')}`)
  })

  return {
    /** Opens a tab at this address. */
    async open (url: string): Promise<Page> {
      const page = await browser.newPage()
      page.setDefaultTimeout(PATIENCE)
      page.on('pageerror', error => { errors.push(String(error)) })
      page.on('console', message => { if (message.type() === 'error') errors.push(message.text()) })
      await page.goto(url)
      return page
    }
  }
}

const control = (page: Page, role: string, name: string) => page.locator(`::-p-aria([name="${name}"][role="${role}"])`)

/** Waits until the channel shows a message with this text. */
async function said (page: Page, text: string): Promise<void> {
  await page.locator(`.message ::-p-text(${text})`).wait()
}

/** Writes a message into the default channel, and sends it. */
async function say (page: Page, text: string): Promise<void> {
  await control(page, 'textbox', 'Message #general').fill(text)
  await page.keyboard.press('Enter')
}

t.test('[C9] in Firefox too people register, talk, reload and find what was said, and tabs share a login and one connection', async t => {
  const firefox = await startFirefox(t)
  const line = await startLine(t, server.port)
  const ann = await firefox.open(line.url)
  await control(ann, 'link', 'Create account').click()
  await control(ann, 'textbox', 'Name').fill('Ann')
  await control(ann, 'textbox', 'Email').fill('ann@example.org')
  await ann.locator('input[type=password]').fill('correct horse')
  await control(ann, 'button', 'Create account').click()
  await say(ann, 'Hello from Firefox')
  await said(ann, 'Hello from Firefox')

  const ben = await server.enter('ben', 'general')
  await ben.request({ type: 'send_message', channel: 'general', message: 'Hello, Ann' })
  await said(ann, 'Hello, Ann')
  await ann.reload()
  await said(ann, 'Hello from Firefox')
  await said(ann, 'Hello, Ann')

  const other = await firefox.open(line.url)
  await say(other, 'Hello from another tab')
  await said(ann, 'Hello from another tab')
  await eventually(() => line.sockets === 1)
})
