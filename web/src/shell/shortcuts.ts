import { openJump, openShortcuts } from '../dialogs.ts'
import { parley } from '../client.ts'
import { goBy } from './places.ts'

/** Listens to the keys that work everywhere, except while a dialog is open. @returns its end. */
export function listenForShortcuts (): () => void {
  const stop = new AbortController()
  addEventListener('keydown', onKeyDown, { signal: stop.signal })
  return () => stop.abort()
}

function onKeyDown (event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return
  const act = actOf(event)
  if (!act) return
  event.preventDefault()
  if (!document.querySelector('dialog[open]')) act()
}

function actOf ({ key, ctrlKey, metaKey, altKey, shiftKey, target }: KeyboardEvent): (() => void) | undefined {
  if ((ctrlKey || metaKey) && !altKey && !shiftKey && key.toLowerCase() === 'k') return openJump
  if (altKey && !ctrlKey && !metaKey && (key === 'ArrowDown' || key === 'ArrowUp')) {
    return () => goBy(key === 'ArrowDown' ? 1 : -1, parley.inbox.getSnapshot(), shiftKey)
  }
  return key === '?' && !ctrlKey && !metaKey && !isWriting(target) ? openShortcuts : undefined
}

function isWriting (target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches('input, textarea, select'))
}
