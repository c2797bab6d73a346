import { t } from '../tap.ts'
import { startApp } from './app.ts'
import { injections } from './injections.ts'

/** The elements of which the text of a message may consist, with their attributes. */
const ALLOWED: Record<string, string[]> = {
  DIV: ['class', 'dir'], P: ['dir'], SPAN: ['class'], STRONG: [], EM: [], DEL: [], CODE: ['dir'], PRE: [], BLOCKQUOTE: ['dir'],
  A: ['href', 'rel', 'target', 'title', 'tabindex']
}

/** The parts of an element of the page that the test reads. */
interface Node {
  tagName: string
  attributes: Iterable<{ name: string }>
  textContent: string
  outerHTML: string
  dataset: Record<string, string>
  getAttribute (name: string): string | null
  querySelectorAll (selector: string): Iterable<Node>
}

interface Seen { id: string, text: string, found: string[] }

const app = await startApp(t, { config: { limits: { enabled: false } } })

t.test(`${injections.length} texts that try to be more than text are shown as text, with no more than safe links`, async t => {
  t.ok(injections.length >= 500)
  const eve = await app.server.enter('eve', 'texts')
  const sent = new Map<string, string>()
  for (const message of injections) {
    const { data } = await eve.request({ type: 'send_message', channel: 'texts', message })
    sent.set(data.id, message)
  }
  const profile = await app.profile(t)
  const outside: string[] = []
  profile.on('request', request => { if (!request.url().startsWith(app.server.origin)) outside.push(request.url()) })
  profile.on('dialog', dialog => { outside.push(dialog.message()) })
  const page = await app.open(profile, eve.person, 'c/texts')
  await page.getByRole('article').last().focus()
  while (await page.getByText('This is the beginning of #texts').count() === 0) await page.keyboard.press('Home')

  const seen = new Map<string, Seen>()
  while (seen.size < sent.size) {
    const before = seen.size
    for (const one of await page.evaluate(look, ALLOWED)) seen.set(one.id, one)
    await page.mouse.move(800, 400)
    await page.mouse.wheel(0, 400)
    if (seen.size === before) await page.waitForFunction('new Promise(requestAnimationFrame)')
  }
  t.same([...seen.values()].flatMap(({ found }) => found), [])
  for (const [id, message] of sent) {
    const { text } = seen.get(id)!
    // The address of a link with a text of its own is in the link, and not shown.
    if (!/\]\(https?:/i.test(message) && bare(text) !== bare(message)) t.equal(text, message, 'no character is lost')
  }
  t.same(outside, [])
})

/** Returns a text without the characters that may have become markup. */
function bare (text: string): string {
  return text.replace(/[`*_~>\s]/gu, '')
}

/** Runs in the page. @returns the messages that are rendered, and everything in their texts that must not be there. */
function look (allowed: Record<string, string[]>): Seen[] {
  const { document } = globalThis as unknown as { document: Node }
  return [...document.querySelectorAll('[data-row]')].map(row => {
    const [text] = row.querySelectorAll('.text') as [Node]
    const elements = [text, ...text.querySelectorAll('*')]
    const found = elements.flatMap(element => {
      const attributes = [...element.attributes].map(({ name }) => name)
      const unknown = attributes.filter(name => !allowed[element.tagName]?.includes(name))
      const href = element.getAttribute('href')
      const isOwn = href !== null && /^\/c\/[a-z0-9_-]+$/.test(href) && /^#/.test(element.textContent)
      const isOutside = href !== null && /^https?:\/\//.test(href) && element.getAttribute('rel') === 'noopener noreferrer nofollow'
      const isSafe = element.tagName !== 'A' || isOwn || isOutside
      return element.tagName in allowed && unknown.length === 0 && isSafe ? [] : [element.outerHTML]
    })
    return { id: row.dataset.row!, text: text.textContent, found }
  })
}
