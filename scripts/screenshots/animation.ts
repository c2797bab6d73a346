import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { findPrograms } from '../service.ts'
import type { PictureBrowser } from './browser.ts'
import type { Cable } from './cable.ts'
import { callAs } from './demo.ts'
import { settled } from './views.ts'

const CHANNEL = 'film-club'
const SIZE = { width: 480, height: 600 }
/** Characters that are typed from one frame to the next, and the milliseconds that such a frame is shown. */
const TYPED = 3
const TYPING = 110
/** WebP's quality, from 0 to 100. */
const QUALITY = 70

const STAGE = `<style>
  body { margin: 0; padding: 8px; display: flex; gap: 8px; background: #3b3835 }
  img { display: block; width: ${SIZE.width}px; height: ${SIZE.height}px; border-radius: 6px }
</style><img><img>`

/**
 * Films two people who talk side by side. One loses the network, the other talks on, and when the first comes back, nothing is missing. The
 * film is a story of pictures with fixed durations, so that a slow machine makes the same one. `url` leads past the cable.
 */
export async function film (browser: PictureBrowser, cable: Cable, url: string, file: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'parley-film-'))
  try {
    const stage = await browser.openPage(url)
    await stage.setViewportSize({ width: 2 * SIZE.width + 24, height: SIZE.height + 16 })
    await stage.setContent(STAGE)
    const robin = await openSeat(browser, cable.url, 'member@demo.example')
    const tomas = await openSeat(browser, url, 'moderator@demo.example')
    const camera = createCamera(folder, stage, [robin, tomas])
    await act(camera, cable, robin, tomas)
    encode(camera.shots, file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function act ({ shoot, type }: Camera, cable: Cable, robin: Page, tomas: Page): Promise<void> {
  await shoot(1500)
  await type(robin, 'Is the film at eight tonight?')
  await said(tomas, 'Is the film at eight tonight?').waitFor()
  await shoot(1500)
  await type(tomas, 'Yes, and I bring the cushions.')
  await said(robin, 'Yes, and I bring the cushions.').waitFor()
  await shoot(1800)

  cable.pull()
  await robin.getByText('There is no connection.').first().waitFor()
  await shoot(2200)
  await type(tomas, 'Ben brings popcorn.')
  await shoot(900)
  await type(tomas, 'Who has the projector?')
  await shoot(1200)
  await type(robin, 'I do! It is in my bag.')
  await shoot(2200)

  cable.plugIn()
  // The client tries by itself soon. The film does not wait for it.
  await robin.getByRole('button', { name: 'Try now' }).click({ timeout: 2000 }).catch(() => {})
  await Promise.all([said(robin, 'Who has the projector?').waitFor(), said(tomas, 'I do! It is in my bag.').waitFor()])
  await robin.getByText('There is no connection.').first().waitFor({ state: 'hidden' })
  await shoot(4000)
}

const said = (page: Page, text: string): Locator => page.locator('.message').getByText(text, { exact: true })

async function openSeat (browser: PictureBrowser, url: string, email: string): Promise<Page> {
  const { id, call } = await callAs(url, email)
  await call('PUT', `/api/channels/${CHANNEL}/members/${id}`)
  // The channel opens at what is unread, and the film is of its end.
  const { last_seq: seq } = await call<{ last_seq: number }>('GET', `/api/channels/${CHANNEL}/messages?limit=1`)
  await call('PUT', `/api/channels/${CHANNEL}/read`, { seq })
  const page = await browser.openPage(url, email)
  await page.setViewportSize(SIZE)
  await page.goto(`${url}/c/${CHANNEL}`)
  await settled(page)
  await page.getByRole('textbox', { name: /^Message / }).waitFor()
  // The messages that others reply to come a moment later.
  await page.getByText('Loading …').first().waitFor({ state: 'detached' })
  return page
}

interface Shot { file: string, ms: number }
type Camera = ReturnType<typeof createCamera>

function createCamera (folder: string, stage: Page, seats: Page[]) {
  const shots: Shot[] = []

  /** Takes a picture of both, which is shown for so many milliseconds. */
  async function shoot (ms: number): Promise<void> {
    const pictures = await Promise.all(seats.map(page => page.screenshot()))
    const sources = pictures.map(picture => `data:image/png;base64,${picture.toString('base64')}`)
    await stage.evaluate(`Promise.all([...document.images].map((image, i) => {
      image.src = ${JSON.stringify(sources)}[i]
      return image.decode()
    }))`)
    const file = join(folder, `${shots.length}.png`)
    writeFileSync(file, await stage.screenshot())
    shots.push({ file, ms })
  }

  return {
    shots,
    shoot,
    /** Writes a message and sends it. */
    async type (page: Page, text: string): Promise<void> {
      const field = page.getByRole('textbox', { name: /^Message / })
      for (let at = 0; at < text.length; at += TYPED) {
        await field.pressSequentially(text.slice(at, at + TYPED))
        await shoot(TYPING)
      }
      await field.press('Enter')
      await said(page, text).waitFor()
    }
  }
}

/** Makes an animated WebP, which goes on for ever. @throws Error if img2webp, of Debian's package `webp`, fails. */
function encode (shots: Shot[], file: string): void {
  const program = join(findPrograms('webp')[0]!, 'img2webp')
  const frames = shots.flatMap(({ file, ms }) => ['-d', String(ms), file])
  const args = ['-loop', '0', '-lossy', '-q', String(QUALITY), '-m', '4', ...frames, '-o', file]
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`img2webp failed: ${stderr}`)
}
