import type { Channel } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useReducer, useRef } from 'preact/hooks'
import type { VirtualizerHandle } from 'virtua'
import { keyOf, type Row } from './rows.ts'

/** Pixels from the end within which the list follows new messages. */
const NEAR = 48
/** Rows above and below those in sight at whose end others are loaded. */
const AHEAD = 20
const PAGE = 100

/** Whatever people scroll with. */
const INPUT = ['wheel', 'touchstart', 'pointerdown', 'keydown']

interface Place {
  /** The list follows new messages. */
  isAtEnd: boolean
  /** The row that the list was scrolled to. It stays in its place, whatever heights the rows turn out to have, until somebody scrolls. */
  held?: { key: string, align: 'start' | 'center' } | undefined
  offset: number
  /** Pixels of the list that are in sight. */
  height: number
  /** The rows that are shown. */
  rows: Row[]
}

/**
 * Keeps the place of the reader in the list: at the end while they are there, and otherwise where it is, although messages are added above
 * and below. Loads messages where they come to the end of those that are loaded. `onMove` is called when they have moved, or the rows have.
 */
export function usePlace (channel: Channel, all: Row[], onMove: (place: Place & { last: Row | undefined }) => void) {
  const list = useRef<VirtualizerHandle>(null)
  const scroller = useRef<HTMLDivElement>(null)
  const place = useRef<Place>({ isAtEnd: true, offset: 0, height: 0, rows: [] }).current
  const isAtEnd = useSignal(true)
  const loading = useSignal<'no' | 'yes' | 'failed' | 'full'>('no')
  const [, renderAgain] = useReducer((count: number) => count + 1, 0)

  // The list keeps its place if rows are added at its start. If others are added at its end in the same frame, they wait for the next one.
  const moved = list.current && !place.isAtEnd ? movement(place.rows, all, centre(list.current)) : undefined
  const isShift = moved !== undefined && moved.before !== 0
  const isHeldBack = isShift && moved.after > 0
  const rows = isHeldBack ? all.slice(0, -moved.after) : all

  useLayoutEffect(() => {
    // A message that comes to the end is followed.
    if (place.isAtEnd && place.rows.at(-1) !== rows.at(-1)) place.held = undefined
    place.rows = rows
    // The list has scrolled by the height of the new rows. Unless it hears of that at once, it takes its old place for the present one when
    // it measures them, and falls back to the top.
    if (isShift) scroller.current!.dispatchEvent(new Event('scroll'))
    settle()
    if (isHeldBack) renderAgain(undefined)
    update()
  }, [rows.length, rows[0], rows.at(-1), isHeldBack])

  // Rows get their heights after the list has scrolled to one of them. Where that takes longer than 150 ms, the list gives up to correct
  // its place, and would stay far from the row.
  const hasRows = rows.length > 0
  useEffect(() => {
    const { current } = scroller
    if (!current || !hasRows) return
    const observer = new ResizeObserver(() => {
      if (place.held) settle()
      else if (place.isAtEnd) current.scrollTop = current.scrollHeight
    })
    observer.observe(current.querySelector('ul')!)
    return () => observer.disconnect()
  }, [hasRows])

  useEffect(() => {
    const letGo = (): void => { place.held = undefined }
    for (const type of INPUT) addEventListener(type, letGo, { capture: true, passive: true })
    return () => { for (const type of INPUT) removeEventListener(type, letGo, { capture: true }) }
  }, [])

  useEffect(() => {
    document.addEventListener('visibilitychange', update)
    return () => document.removeEventListener('visibilitychange', update)
  }, [])

  /** Scrolls to where the list is held. */
  function settle (): void {
    const { held } = place
    const index = held ? place.rows.findIndex(row => keyOf(row) === held.key) : -1
    if (index !== -1) list.current?.scrollToIndex(index, { align: held!.align })
    else if (place.isAtEnd) toEnd()
  }

  function toEnd (): void {
    if (place.rows.length > 0) list.current?.scrollToIndex(place.rows.length - 1, { align: 'end' })
  }

  function setAtEnd (is: boolean): void {
    place.isAtEnd = isAtEnd.value = is
  }

  /** The virtual list hears of another height later than the browser. */
  function isNearEnd (offset: number): boolean {
    return offset >= list.current!.scrollSize - scroller.current!.clientHeight - NEAR
  }

  /** Takes note of what is in sight. */
  function update (): void {
    const { current } = list
    if (!current) return
    const last = lastInSight(current)
    onMove({ ...place, last: place.rows[last] })
    if (loading.value === 'full' && current.findItemIndex(current.scrollOffset) >= AHEAD) loading.value = 'no'
    if (loading.value === 'no') loadInSight(current, last)
  }

  function loadInSight ({ findItemIndex, scrollOffset, viewportSize, getItemOffset }: VirtualizerHandle, last: number): void {
    const { hasOlder, state: phase } = channel.getSnapshot()
    if (phase !== 'live' || place.rows.length === 0) return
    const first = findItemIndex(scrollOffset)
    const gap = place.rows.findIndex((row, index) => index > first - AHEAD && index < last + AHEAD && 'message' in row && row.isAfterGap)
    if (gap !== -1) load(() => getItemOffset(gap) > scrollOffset + viewportSize / 2 ? channel.newer(PAGE) : channel.older(PAGE))
    else if (hasOlder && first < AHEAD) load(() => channel.older(PAGE, 'start'))
  }

  async function load (read: () => Promise<number>): Promise<void> {
    loading.value = 'yes'
    const { gap, hasOlder } = channel.getSnapshot()
    try {
      const isSame = await read() === 0 && channel.getSnapshot().gap === gap && channel.getSnapshot().hasOlder === hasOlder
      // Nothing is added where the window has no room for more.
      loading.value = isSame ? 'full' : 'no'
    } catch {
      // The failure is shown, with a button that tries again.
      loading.value = 'failed'
    }
  }

  return {
    list, scroller, rows, isShift, isAtEnd, loading,

    onScroll (offset: number): void {
      const { clientHeight } = scroller.current!
      // The list scrolls down by itself, and only people scroll up, unless the list gets higher because the field under it gets lower.
      const isByPerson = offset < place.offset - 1 && clientHeight === place.height
      if (isNearEnd(offset)) setAtEnd(true)
      else if (place.held || isByPerson) setAtEnd(false)
      place.offset = offset
      place.height = clientHeight
      update()
    },

    /** Messages or the window have another size. */
    onResize (): void {
      settle()
      if (!place.held && isNearEnd(scroller.current!.scrollTop)) setAtEnd(true)
    },

    toEnd (): void {
      place.held = undefined
      setAtEnd(true)
      toEnd()
    },

    /** Scrolls to a row that is shown. @returns whether it is. */
    toRow (key: string, align: 'start' | 'center' | 'nearest'): boolean {
      const index = place.rows.findIndex(row => keyOf(row) === key)
      if (index === -1) return false
      if (align === 'nearest') {
        list.current?.scrollToIndex(index, { align })
      } else {
        setAtEnd(false)
        place.held = { key, align }
        settle()
      }
      return true
    },

    lastInSight: (): Row | undefined => list.current ? place.rows[lastInSight(list.current)] : undefined,

    retry (): void {
      loading.value = 'no'
      update()
    }
  }
}

/** Returns the index of the last row of which more than an edge is in sight. */
function lastInSight ({ findItemIndex, scrollOffset, viewportSize }: VirtualizerHandle): number {
  return findItemIndex(scrollOffset + viewportSize - 8)
}

function centre ({ findItemIndex, scrollOffset, viewportSize }: VirtualizerHandle): number {
  return findItemIndex(scrollOffset + viewportSize / 2)
}

/** Returns how many rows were added before the row at `index`, and after it. */
function movement (before: Row[], now: Row[], index: number): { before: number, after: number } | undefined {
  const anchor = before[index]
  if (!anchor) return undefined
  const key = keyOf(anchor)
  const there = now[index]
  const found = there && keyOf(there) === key ? index : now.findIndex(row => keyOf(row) === key)
  return found === -1 ? undefined : { before: found - index, after: now.length - found - (before.length - index) }
}
