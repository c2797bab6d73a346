import { go, type Route } from '../route.ts'

/** Somebody has jumped to a view whose place for the focus is not there yet. */
let isLanding = false

/**
 * Shows a view, and puts the focus where one goes on: into the composer, or to the main part where a keyboard would cover the screen. The
 * options are those of `go`.
 */
export function land (to: Route, options?: { replace?: boolean }): void {
  // A dialog that is being closed gives the focus back first.
  setTimeout(() => {
    isLanding = true
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur()
    go(to, options)
  })
}

/** Puts the focus where it belongs after `land`, unless somebody has put it elsewhere since. Views call it when they are there. */
export function settleFocus (): void {
  const main = document.getElementById('main')
  if (!isLanding || !main) return
  const isFree = [null, document.body, main].includes(document.activeElement as HTMLElement | null)
  const composer = matchMedia('(pointer: coarse)').matches ? null : main.querySelector<HTMLElement>('.composer textarea')
  isLanding = isFree && composer === null
  if (isFree) (composer ?? main).focus()
}
