import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import type { Cable } from './cable.ts'
import { settled, type View } from './views.ts'

export const sizes = {
  phone: { width: 390, height: 844 },
  tablet: { width: 820, height: 1180 },
  desktop: { width: 1280, height: 800 }
}
export const themes = ['light', 'dark'] as const

/** Milliseconds after which a state is photographed, so that what comes in late, as an answer of the server, is there. */
export const SETTLING = 300

/** Photographs a view in all sizes and themes, as `NAME-SIZE-THEME.png`. */
export async function shoot (page: Page, { name, path = 'c/general', act, undo }: View, { url, cable, out }: {
  url: string, cable: Cable, out: string
}): Promise<void> {
  mkdirSync(out, { recursive: true })
  for (const [size, viewport] of Object.entries(sizes)) {
    await page.setViewportSize(viewport)
    await page.goto(`${url}/${path}`)
    await settled(page)
    try {
      await act?.(page, cable)
      await settled(page)
      await page.waitForTimeout(SETTLING)
      for (const colorScheme of themes) {
        await page.emulateMedia({ colorScheme })
        await page.screenshot({ path: join(out, `${name}-${size}-${colorScheme}.png`), animations: 'disabled' })
      }
    } finally {
      await undo?.(page, cable)
    }
  }
}

/** Waits in the page until the colors of a theme have come, of which some come by and by, and are drawn. */
const DRAWN = `(async () => {
  const frame = () => new Promise(requestAnimationFrame)
  await frame()
  await Promise.allSettled(document.getAnimations().map(({ finished }) => finished))
  await frame()
  await frame()
})()`

/** Photographs what the page shows now as WebP, which is a tenth of a PNG. */
export async function shootWebp (page: Page, file: string, quality = 80): Promise<void> {
  await page.evaluate(DRAWN)
  const session = await page.context().newCDPSession(page)
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality })
  await session.detach()
  writeFileSync(file, Buffer.from(data, 'base64'))
}
