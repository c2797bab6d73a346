import { useEffect, useRef } from 'preact/hooks'
import { keyOf, type Row } from './rows.ts'
import { useTalk } from './talk.ts'

/** Rows that Page Up and Page Down pass. */
const PAGE = 10

/**
 * Handles the keys in the list of messages: arrows, Page Up, Page Down, Home and End move from message to message, Enter opens the actions
 * of a message, Escape leads to the field to write in.
 */
export function useListKeys (rows: Row[], show: (key: string) => void) {
  const { active, focusComposer } = useTalk()
  /** A message has the focus, as far as people know. It loses it when it is moved among the others or comes back into sight. */
  const hasFocus = useRef(false)

  useEffect(() => {
    const follow = (event: Event): void => {
      const isRow = (event.target as Element).closest('[data-row]') !== null
      if (event.type === 'focusin' || !isRow) hasFocus.current = isRow
    }
    document.addEventListener('focusin', follow)
    document.addEventListener('pointerdown', follow)
    return () => {
      document.removeEventListener('focusin', follow)
      document.removeEventListener('pointerdown', follow)
    }
  }, [])

  /** Gives the focus back to the message that has it. */
  function restoreFocus (): void {
    if (hasFocus.current && document.activeElement === document.body && active.value !== undefined) focusRow(active.value)
  }
  useEffect(restoreFocus)

  return {
    restoreFocus,

    onKeyDown (event: KeyboardEvent): void {
      const target = event.target as HTMLElement
      const item = target.closest<HTMLElement>('[data-row]')
      if (event.defaultPrevented || !item || event.altKey || event.ctrlKey || event.metaKey) return
      if (event.key === 'Escape' && !event.isComposing) return focusComposer()
      if (target !== item && target.closest('input, textarea, [popover]')) return
      if (event.key === 'Enter' && target === item) {
        event.preventDefault()
        return openActions(item)
      }
      const at = rows.findIndex(row => keyOf(row) === item.dataset.row)
      const to = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - PAGE, PageDown: at + PAGE, Home: 0, End: rows.length - 1 }[event.key]
      if (to === undefined) return
      event.preventDefault()
      if (event.key === 'ArrowDown' && to === rows.length) return focusComposer()
      active.value = keyOf(rows[Math.max(0, Math.min(to, rows.length - 1))]!)
      show(active.value)
      focusRow(active.value)
    }
  }
}

/** Opens the actions of a row, which are rendered once it has the focus. */
export function openActions (row: HTMLElement): void {
  row.focus({ preventScroll: true })
  requestAnimationFrame(() => row.querySelector<HTMLElement>('.actions [aria-haspopup=menu]')?.click())
}

/** Gives a row the focus, if it is rendered. */
export function focusRow (key: string): void {
  document.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`)?.focus({ preventScroll: true })
}
