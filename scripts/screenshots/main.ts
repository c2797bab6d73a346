// `npm run screenshots`: photographs every view of the web app in the demo's community, in both themes and three sizes, and makes the
// pictures of the README. It fails if a page logs an error.
import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Page } from 'playwright-core'
import { runCommand, UsageError } from '../command.ts'
import { root } from '../root.ts'
import { film } from './animation.ts'
import { openBrowser, type PictureBrowser } from './browser.ts'
import { layCable } from './cable.ts'
import { startStillDemo } from './demo.ts'
import { preparePlaces } from './places.ts'
import { SETTLING, shoot, shootWebp, sizes, themes } from './shoot.ts'
import { adminViews, settled, viewsOf, type Viewer } from './views.ts'

const USAGE = `usage: npm run screenshots -- [OPTION …] [VIEW …]
  --out FOLDER   where all pictures are written to (screenshots/)
  --animation    makes only the film of the README
With names of views, only these are photographed; "readme" stands for the pictures of the README.`

await runCommand(main)

async function main (args: string[]): Promise<void> {
  const { out, names, animation } = readOptions(args)
  await using demo = await startStillDemo()
  await using browser = await openBrowser()
  await using cable = await layCable(demo.port)
  if (animation) {
    await film(browser, cable, demo.url, join(imageFolder(), 'talk.webp'))
    return throwErrors(browser.errors)
  }
  const { url } = cable
  const pages = await openPages(browser, url)
  const views = [...viewsOf(await preparePlaces(demo.url)), ...await adminViews(pages.admin, url)]
  const unknown = names.filter(name => name !== 'readme' && !views.some(view => view.name === name))
  if (unknown.length > 0) throw new UsageError(`no view ${unknown.join(', ')}; there are ${views.map(({ name }) => name).join(', ')}`)
  const failed: string[] = []
  for (const view of views.filter(({ name }) => names.length === 0 || names.includes(name))) {
    console.log(view.name)
    await shoot(pages[view.viewer], view, { url, cable, out }).catch((error: Error) => failed.push(`${view.name}: ${error.message}`))
  }
  if (names.length === 0 || names.includes('readme')) await shootReadme(pages.member, url)
  throwErrors([...failed, ...browser.errors])
}

function throwErrors (errors: string[]): void {
  if (errors.length > 0) throw new Error(`${errors.length} errors:\n${errors.join('\n')}`)
}

/** The folder of the pictures that the README shows. */
function imageFolder (): string {
  const folder = join(root, 'docs/images')
  mkdirSync(folder, { recursive: true })
  return folder
}

async function openPages (browser: PictureBrowser, url: string): Promise<Record<Viewer, Page>> {
  const [nobody, admin, moderator, member] = [
    await browser.openPage(url),
    await browser.openPage(url, 'admin@demo.example'),
    await browser.openPage(url, 'moderator@demo.example'),
    await browser.openPage(url, 'member@demo.example')
  ]
  return { nobody, admin, moderator, member }
}

/** The pictures that the README shows: a desktop and a phone, in both themes. */
async function shootReadme (page: Page, url: string): Promise<void> {
  for (const [size, path] of [['desktop', 'c/code-review'], ['phone', 'c/kitchen']] as const) {
    await page.setViewportSize(sizes[size])
    await page.goto(`${url}/${path}`)
    await settled(page)
    await page.waitForTimeout(SETTLING)
    for (const colorScheme of themes) {
      await page.emulateMedia({ colorScheme })
      await shootWebp(page, join(imageFolder(), `${size}-${colorScheme}.webp`))
    }
  }
}

function readOptions (args: string[]): { out: string, names: string[], animation: boolean } {
  try {
    const options = { out: { type: 'string', default: 'screenshots' }, animation: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true })
    return { out: resolve(root, values.out), names: positionals, animation: values.animation }
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n${USAGE}`)
  }
}
