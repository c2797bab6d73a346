import { useEffect, useRef } from 'preact/hooks'
import { keyOf, type Row } from './rows.ts'
import { useTalk } from './talk.ts'

/** Rows that Page Up and Page Down pass. */
const PAGE = 10

/**
 * Returns what the keys do in the list of messages: arrows, Page Up, Page Down, Home and End move from message to message, Enter opens the
 * actions of a message, Escape leads to the field to write in.
 */
export function useListKeys (rows: Row[], show: (key: string) => void): (event: KeyboardEvent) => void {
  const { active, focusComposer } = useTalk()
  const wanted = useRef<string>(undefined)

  // A row that was out of sight is rendered before it can take the focus.
  useEffect(() => {
    if (wanted.current !== undefined && focusRow(wanted.current)) wanted.current = undefined
  })

  return event => {
    const item = (event.target as HTMLElement).closest<HTMLElement>('[data-row]')
    if (event.defaultPrevented || !item || event.altKey || event.ctrlKey || event.metaKey) return
    if (event.key === 'Escape' && !event.isComposing) return focusComposer()
    if (event.target !== item) return
    if (event.key === 'Enter') {
      event.preventDefault()
      return item.querySelector<HTMLElement>('.actions [aria-haspopup=menu]')?.click()
    }
    const at = rows.findIndex(row => keyOf(row) === item.dataset.row)
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, PageUp: at - PAGE, PageDown: at + PAGE, Home: 0, End: rows.length - 1 }[event.key]
    if (to === undefined) return
    event.preventDefault()
    if (event.key === 'ArrowDown' && to === rows.length) return focusComposer()
    const key = keyOf(rows[Math.max(0, Math.min(to, rows.length - 1))]!)
    active.value = key
    show(key)
    if (!focusRow(key)) wanted.current = key
  }
}

function focusRow (key: string): boolean {
  const row = document.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`)
  row?.focus({ preventScroll: true })
  return row !== null
}
