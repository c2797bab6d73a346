import { effect } from '@preact/signals'
import { facts } from '../facts.ts'
import { go, route, type Route } from '../route.ts'

/** Views for people who are not logged in. Reset and verification links work for everybody. */
const ENTRY_VIEWS = ['login', 'register', 'forgot', 'reset', 'verify']

/** The last view that was asked for besides those of the entry. */
let wanted: Route = { view: 'home' }
/** Views that were shown. */
let views = 0
effect(() => {
  views++
  if (!isEntryView(route.value)) wanted = route.value
})

/** Whether somebody has moved from one view to another since the page was loaded. */
export const hasMoved = (): boolean => views > 1

export function isEntryView ({ view }: Route): boolean {
  return ENTRY_VIEWS.includes(view)
}

/** Shows what somebody has asked for before they logged in: a view by its address, or else the channel that always exists. */
export function arrive (): void {
  go(wanted.view === 'home' ? { view: 'channel', name: facts.defaultRoom } : wanted, { replace: true })
  // The form that had the focus is gone.
  requestAnimationFrame(() => { if (document.activeElement === document.body) document.getElementById('main')?.focus() })
}
