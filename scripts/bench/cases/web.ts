import { setTimeout as delay } from 'node:timers/promises'
import { createParley, type WebSocketLike } from '@parley/client'
import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core'
import { WebSocket } from 'ws'
import { chromiumOptions } from '../../chromium.ts'
import { atLeast, atMost, type Bench, type Case, type Figures } from '../case.ts'
import { contenders } from '../servers.ts'
import { bytesOfWeb } from '../web/bytes.ts'
import { firstPaint, scrollToTop, watchFrames, type Frames } from '../web/in-page.ts'
import { traceTasks } from '../web/trace.ts'

const CHANNEL = 'busy'
/** As many as the app keeps of a channel. */
const MESSAGES = 10_000
/** Messages that the writer has unanswered at a time, while the channel is filled. */
const AT_ONCE = 200
/** Messages per second in the busy channel. */
const RATE = 50
const PASSWORD = 'correct horse battery'
/** Milliseconds until the beginning of the channel has to be reached. */
const PATIENCE = 300_000
/**
 * Seconds of the busy channel before its frames and the heap are measured. The app keeps more of a message that came live than of one that
 * it has read from the history, so the heap grows until it has replaced each message that it keeps. The browser compiles meanwhile.
 */
const WARM_UP = MESSAGES / RATE + 30

/** Measures the web app in Chromium: its size, its first paint, and how smoothly it scrolls and follows a busy channel. */
export const web: Case = {
  name: 'web',
  title: 'Web app: size, first paint, scrolling, a busy channel',
  conditions: [
    'Size: gzip 9, the files of the bundled app that the chat loads before it runs, and what the admin console adds.',
    'First paint: first contentful paint of the login, from an empty cache, on loopback, the CPU throttled to a quarter.',
    `Scrolling: a channel of ${MESSAGES.toLocaleString('en-US')} messages from its last to its first, 600 pixels in each frame. Frames are`,
    'measured in wall time, and in CPU time of the main thread of the page, which other programs on the machine do not lengthen.',
    `Busy: ${RATE} messages/s arrive in that channel for \`--minutes\`, after ${WARM_UP} s of them. By then each message that the app`,
    'keeps has come live, for which it keeps more. Memory is the heap at the start and the end, after a collection.',
    'Headless Chromium without a GPU, on the machine that also runs the server and the database.'
  ],
  columns: [
    { key: 'chat_kb', title: 'chat KB', digits: 1 },
    { key: 'admin_kb', title: 'admin KB', digits: 1 },
    { key: 'css_kb', title: 'CSS KB', digits: 1 },
    { key: 'paint_ms', title: 'first paint ms', digits: 0 },
    { key: 'scroll_longest_ms', title: 'longest frame ms', digits: 0 },
    { key: 'scroll_long', title: 'over 50 ms', digits: 0 },
    { key: 'scroll_longest_cpu_ms', title: 'longest CPU ms', digits: 0 },
    { key: 'scroll_long_cpu', title: 'over 50 CPU ms', digits: 0 },
    { key: 'busy_fps', title: 'busy frames/s', digits: 1 },
    { key: 'heap_start_mb', title: 'heap MB', digits: 1 },
    { key: 'heap_end_mb', title: 'at the end', digits: 1 }
  ],
  async measure (bench) {
    const browser = await chromium.launch(chromiumOptions())
    try {
      const figures = await bench.withServer(contenders.parley, server => measureApp(bench, browser, `http://127.0.0.1:${server.ports[0]!}`))
      return [{ row: 'web app', round: 1, figures: { ...sizes(), ...figures } }]
    } finally {
      await browser.close()
    }
  },
  judge: medians => {
    const {
      chat_kb: chat, paint_ms: paint, scroll_longest_ms: longest, scroll_longest_cpu_ms: cpu, busy_fps: fps, heap_start_mb: start,
      heap_end_mb: end
    } = medians.get('web app') as Record<string, number>
    return [
      atMost('Scripts of the chat', chat!, 60, 60, 'KB'),
      atMost('First paint', paint!, 1000, 1000, 'ms'),
      atMost('Longest frame while scrolling', longest!, 50, 50, 'ms'),
      atMost('The same in CPU time', cpu!, 50, 50, 'ms'),
      atLeast('Frames in a busy channel', fps!, 50, 50, '/s'),
      atMost('Growth of the heap', (end! / start! - 1) * 100, 10, 10, '%')
    ]
  }
}

function sizes (): Figures {
  const { chat, admin, styles } = bytesOfWeb()
  return { chat_kb: chat / 1024, admin_kb: admin / 1024, css_kb: styles / 1024 }
}

async function measureApp (bench: Bench, browser: Browser, url: string): Promise<Figures> {
  const writer = await createWriter(url)
  try {
    const paint = await measurePaint(browser, url)
    bench.progress(`first paint after ${paint.toFixed(0)} ms`)
    await writer.fill(MESSAGES)
    bench.progress(`the channel has ${MESSAGES} messages`)
    const { page, session } = await openChannel(browser, url)
    bench.progress('the reader sees the channel')
    const { result: scroll, ...tasks } = await traceTasks(browser, page, () =>
      page.evaluate<Frames & { height: number }>(scrollToTop(PATIENCE)))
    bench.progress(`scrolled up ${scroll.height} pixels: the longest frame took ${scroll.longest.toFixed(0)} ms, in CPU time ` +
      `${tasks.longest.toFixed(0)} ms`)
    await page.getByRole('button', { name: 'Jump to latest' }).click()
    const stop = writer.talk(RATE)
    await delay(WARM_UP * 1000)
    const start = await heapOf(session)
    const busy = await page.evaluate<Frames>(watchFrames(bench.timing.minutes * 60_000))
    await stop()
    const end = await heapOf(session)
    return {
      paint_ms: paint, scroll_longest_ms: scroll.longest, scroll_long: scroll.long, scroll_longest_cpu_ms: tasks.longest,
      scroll_long_cpu: tasks.long, busy_fps: busy.perSecond, heap_start_mb: start, heap_end_mb: end
    }
  } finally {
    await writer.close()
  }
}

async function measurePaint (browser: Browser, url: string): Promise<number> {
  const context = await browser.newContext()
  const page = await context.newPage()
  const session = await context.newCDPSession(page)
  await session.send('Emulation.setCPUThrottlingRate', { rate: 4 })
  await page.goto(`${url}/login`)
  const paint = await page.evaluate<number>(firstPaint)
  await context.close()
  return paint
}

/** Registers a reader in the app, joins the channel and shows it. */
async function openChannel (browser: Browser, url: string): Promise<{ page: Page, session: CDPSession }> {
  const context = await browser.newContext({ locale: 'en-US', viewport: { width: 1280, height: 800 } })
  context.setDefaultTimeout(60_000)
  const page = await context.newPage()
  await page.goto(`${url}/register`)
  await page.getByLabel('Name').fill('Reader')
  await page.getByLabel('Email').fill('reader@bench.invalid')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Create account' }).click()
  await page.getByRole('textbox', { name: /^Message / }).waitFor()
  await page.goto(`${url}/c/${CHANNEL}`)
  await page.getByRole('button', { name: 'Join channel' }).click()
  // Until then, the page shows what those see who have not joined, in another list.
  await page.getByRole('textbox', { name: `Message #${CHANNEL}` }).waitFor()
  await page.getByText(`Message ${MESSAGES}:`).first().waitFor()
  return { page, session: await context.newCDPSession(page) }
}

/** Megabytes that the page's scripts use after a garbage collection. */
async function heapOf (session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage')
  return (await session.send('Runtime.getHeapUsage')).usedSize / 2 ** 20
}

/** Somebody who writes into a channel of their own. */
async function createWriter (url: string) {
  const parley = createParley({ url, WebSocket: WebSocket as unknown as WebSocketLike, storage: 'memory' })
  await parley.account.register({ name: 'Writer', email: 'writer@bench.invalid', password: PASSWORD })
  parley.connect()
  await parley.request('create_channel', { name: CHANNEL, channel_type: 'public' })
  const channel = parley.channel(CHANNEL, { history: 1 })
  const close = channel.open()
  let count = 0
  const say = (): Promise<unknown> => channel.send(`Message ${++count}: ${'some words, '.repeat(count % 12)}and an end`)
  return {
    async fill (messages: number): Promise<void> {
      while (count < messages) await Promise.all(Array.from({ length: AT_ONCE }, say))
    },
    /** Writes at this rate per second, until the returned function is called. */
    talk (rate: number): () => Promise<void> {
      const failures: unknown[] = []
      const timer = setInterval(() => { say().catch(error => failures.push(error)) }, 1000 / rate)
      return async () => {
        clearInterval(timer)
        if (failures.length > 0) throw new Error(`${failures.length} messages were not stored: ${failures[0]}`)
      }
    },
    async close (): Promise<void> {
      close()
      await parley.disconnect()
    }
  }
}
