import type { Page } from 'playwright-core'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { startApp } from './app.ts'

const app = await startApp(t)
const { server } = app

/**
 * Fills a channel with messages of one to six lines, `number 0` and so on. `unread` of them are written after the reader has joined.
 * @returns the reader, and the ids of the messages.
 */
async function fill (channel: string, read: number, unread: number) {
  const ids: string[] = []
  const writer = await server.enter('writer', channel)
  const write = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const message = `number ${ids.length}${'\nmore'.repeat(ids.length * 7 % 6)}`
      ids.push((await writer.request({ type: 'send_message', channel, message })).data.id)
    }
  }
  await write(read)
  const { person } = await server.enter('reader', channel)
  await write(unread)
  return { person, ids }
}

/** Waits until `isRight` accepts where the row of a message is: pixels from the upper edge of the list, which has a height of `list`. */
async function untilPlaced (page: Page, id: string, isRight: (place: { top: number, bottom: number, list: number }) => boolean) {
  let place: { top: number, bottom: number, list: number } | undefined
  await eventually(async () => {
    const row = page.locator(`li:has([data-row="${id}"])`)
    const [inPage, list] = [await row.count() > 0 ? await row.boundingBox() : null, await page.locator('.messages').boundingBox()]
    if (!inPage || !list) return false
    const top = inPage.y - list.y
    place = { top, bottom: top + inPage.height, list: list.height }
    return isRight(place)
  }, 30_000).catch(error => { throw new Error(`${error.message}: ${JSON.stringify(place)}`) })
}

t.test('a link leads to its message and a channel to its first unread one, also where the browser takes long to show them', async t => {
  const { person, ids } = await fill('slow', 260, 40)
  const page = await app.open(await app.profile(t), person)
  const session = await page.context().newCDPSession(page)
  await session.send('Emulation.setCPUThrottlingRate', { rate: 6 })
  await page.goto(`${server.origin}/c/slow`)
  await untilPlaced(page, ids[260]!, ({ top }) => Math.abs(top) < 3)
  await page.goto(`${server.origin}/c/slow/m/${ids[100]}`)
  await untilPlaced(page, ids[100]!, ({ top, bottom, list }) => Math.abs(top + bottom - list) < 6)
})

t.test('the beginning of a channel is shown where the list has no room for more, and otherwise that the list does not go on', async t => {
  const { person } = await fill('brim', 130, 0)
  const profile = await app.profile(t)
  // The app keeps 10,000 messages, which take too long to write and to scroll through.
  await profile.route('**/assets/*/chunk-*.js', async route => {
    const response = await route.fetch()
    await route.fulfill({ response, body: (await response.text()).replace('window:1e4', 'window:130') })
  })
  const page = await app.open(profile, person, 'c/brim')
  await page.getByText('number 129').waitFor()
  const toStart = async (text: string): Promise<void> => {
    await page.getByRole('article').last().focus()
    await eventually(async () => {
      await page.keyboard.press('Home')
      return await page.getByText(text).count() > 0
    }, 30_000)
  }
  await toStart('This is the beginning of #brim')
  const writer = await server.enter('another', 'brim')
  await writer.request({ type: 'send_message', channel: 'brim', message: 'number 130' })
  await toStart('Older messages are not shown here')
  t.equal(await page.getByText('This is the beginning of #brim').count(), 0)
})

t.test('messages that come while somebody follows a channel never count as unread, not even until they are shown', async t => {
  const { person } = await fill('followed', 3, 0)
  const page = await app.open(await app.profile(t), person, 'c/followed')
  const writer = await server.enter('author', 'followed')
  const write = async (message: string): Promise<void> => {
    await writer.request({ type: 'send_message', channel: 'followed', message })
    await page.getByRole('article').getByText(message).waitFor()
  }
  await page.getByText('number 2').waitFor()
  await write('the first')
  const count = await page.evaluateHandle(`(() => {
    const count = { unread: 0 }
    const look = () => { if (document.title !== 'Parley' || document.querySelector('.sidebar .badge')) count.unread++ }
    new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true })
    return count
  })()`)
  for (const message of ['the second', 'the third', 'the fourth']) await write(message)
  t.same(await count.jsonValue(), { unread: 0 })
})
