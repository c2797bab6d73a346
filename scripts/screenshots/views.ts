import type { Page } from 'playwright-core'
import type { Cable } from './cable.ts'
import type { Places } from './places.ts'

/** The person who looks at a view. `nobody` has not logged in. */
export type Viewer = 'nobody' | 'admin' | 'moderator' | 'member'

/** A view, or a state of one, that is photographed. */
export interface View {
  name: string
  viewer: Viewer
  /** Its address. Default: the channel `general`. */
  path?: string
  /** Brings the page, which shows that address, into the state. */
  act? (page: Page, cable: Cable): Promise<void>
  /** Undoes what `act` did, where loading the page anew does not. */
  undo? (page: Page, cable: Cable): Promise<void>
}

/** All views except those of the admin console, which `adminViews` finds. */
export function viewsOf (places: Places): View[] {
  return [
    { name: 'login', viewer: 'nobody', path: 'login' },
    { name: 'login-failed', viewer: 'nobody', path: 'login', act: failToLogIn },
    { name: 'register', viewer: 'nobody', path: 'register' },
    { name: 'forgot', viewer: 'nobody', path: 'forgot' },
    { name: 'home', viewer: 'member', path: '' },
    { name: 'channel', viewer: 'member' },
    { name: 'channel-people', viewer: 'member', act: togglePeople, undo: forgetPeople },
    { name: 'channel-replies', viewer: 'member', path: `c/general/m/${places.reply}` },
    { name: 'channel-code', viewer: 'member', path: `c/code-review/m/${places.code}` },
    { name: 'channel-right-to-left', viewer: 'member', path: 'c/al-maqha' },
    { name: 'channel-long-name', viewer: 'member', path: `c/${places.longName}` },
    { name: 'channel-empty', viewer: 'admin', path: `c/${places.empty}` },
    { name: 'channel-not-joined', viewer: 'member', path: `c/${places.notJoined}` },
    { name: 'channel-not-there', viewer: 'member', path: 'c/nowhere' },
    { name: 'channel-menu', viewer: 'admin', act: page => button(page, 'Channel menu').click() },
    { name: 'message-long', viewer: 'member', act: page => page.getByRole('textbox', { name: /^Message / }).fill(LONG) },
    { name: 'muted', viewer: 'member', path: `c/${places.muted}` },
    { name: 'direct', viewer: 'member', path: `d/${places.direct}` },
    { name: 'browse', viewer: 'member', path: 'browse' },
    { name: 'search', viewer: 'member', path: 'search?q=bread' },
    { name: 'search-nothing', viewer: 'member', path: 'search?q=qwertzuiop' },
    { name: 'jump', viewer: 'member', act: jump },
    { name: 'create-channel', viewer: 'member', path: 'browse', act: page => button(page, 'Create channel').last().click() },
    { name: 'shortcuts', viewer: 'member', act: page => page.getByRole('article').first().press('?') },
    { name: 'settings', viewer: 'member', path: 'settings' },
    { name: 'card', viewer: 'moderator', act: page => page.locator('.message .name').last().click() },
    { name: 'moderation', viewer: 'moderator', path: 'c/code-review', act: openModeration, undo: forgetPeople },
    { name: 'moderation-log', viewer: 'moderator', path: 'c/code-review', act: openLog, undo: forgetPeople },
    { name: 'reconnecting', viewer: 'member', act: loseNetwork, undo: findNetwork }
  ]
}

/** Finds the sections of the admin console by the links that it has. */
export async function adminViews (page: Page, url: string): Promise<View[]> {
  await page.goto(`${url}/admin`)
  await settled(page)
  const links = await page.locator('a[href*="admin/"]').all()
  const paths = await Promise.all(links.map(async link => new URL(await link.getAttribute('href') ?? '', `${url}/admin`).pathname.slice(1)))
  return [...new Set(['admin', ...paths])].map(path => ({ name: path.replaceAll('/', '-'), viewer: 'admin', path }))
}

/** Waits until the page has what it shows: no spinner, no connection that is still made. */
export async function settled (page: Page): Promise<void> {
  await page.waitForLoadState('load')
  await page.locator('main, form').first().waitFor({ state: 'attached' })
  await page.locator('.spinner').first().waitFor({ state: 'detached' })
}

const LONG = 'A message of several lines:\nthe second one,\n' +
  'and a third that goes on for so long that it has to be broken, because no screen is as wide as this sentence is long.'

const button = (page: Page, name: string | RegExp) => page.getByRole('button', { name })

async function failToLogIn (page: Page): Promise<void> {
  await page.getByLabel('Email').fill('nobody@demo.example')
  await page.getByLabel('Password', { exact: true }).fill('not the password')
  await button(page, 'Log in').click()
  await page.getByText('The email or the password is wrong.').waitFor()
}

const togglePeople = (page: Page): Promise<void> => page.locator('.people-toggle').click()

/** The app keeps that the list of people is open, and the views after this one show it too. */
async function forgetPeople (page: Page): Promise<void> {
  await page.evaluate("localStorage.removeItem('parley-web:people')")
}

async function jump (page: Page): Promise<void> {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox').fill('re')
}

async function openModeration (page: Page): Promise<void> {
  await togglePeople(page)
  await button(page, /^Moderation/).click()
  await page.getByRole('tab', { name: 'Log' }).waitFor()
}

async function openLog (page: Page): Promise<void> {
  await openModeration(page)
  await page.getByRole('tab', { name: 'Log' }).click()
}

async function loseNetwork (page: Page, cable: Cable): Promise<void> {
  cable.pull()
  await page.getByRole('textbox', { name: /^Message / }).fill('I am in a tunnel')
  await page.keyboard.press('Enter')
  await page.getByText('There is no connection.').first().waitFor()
}

async function findNetwork (page: Page, cable: Cable): Promise<void> {
  cable.plugIn()
  await page.getByText('There is no connection.').first().waitFor({ state: 'hidden' })
}
