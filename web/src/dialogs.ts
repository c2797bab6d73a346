import type * as More from './more.ts'
import { attempt } from './ui/error-text.ts'

// Opens dialogs. Their part of the app is loaded when somebody opens the first one.

export const openCard = later('openCard')
export const openCreateChannel = later('openCreateChannel')
export const openDelete = later('openDelete')
export const openInvite = later('openInvite')
export const openJump = later('openJump')
export const openNewDirect = later('openNewDirect')
export const openReport = later('openReport')
export const openShortcuts = later('openShortcuts')

type Openers = Pick<typeof More, { [K in keyof typeof More]: K extends `open${string}` ? K : never }[keyof typeof More]>

/** Returns a function that loads this one, and calls it. A failure of either is shown. */
function later<K extends keyof Openers> (name: K): (...args: Parameters<Openers[K]>) => void {
  return (...args) => {
    attempt(async () => {
      const open = (await import('./more.ts'))[name] as (...args: Parameters<Openers[K]>) => void
      open(...args)
    })
  }
}
