import { useEffect, useState } from 'preact/hooks'
import { language } from '../text.ts'

/** The longest wait of a timer, which is about 24 days. */
const LONGEST_TIMEOUT = 2 ** 31 - 1
const SECOND = 1000
const DAY = 86_400 * SECOND
/** The units in which a duration is said, with their seconds. */
const units = [['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]] as const

/** Says a moment as people do: its time today, else its day too. */
export function moment (iso: string): string {
  const date = new Date(iso)
  const isToday = date.toDateString() === new Date().toDateString()
  const isNear = Math.abs(date.getTime() - Date.now()) < 300 * DAY
  return date.toLocaleString(language, {
    hour: 'numeric', minute: '2-digit', ...!isToday && { day: 'numeric', month: 'short' }, ...!isNear && { year: 'numeric' }
  })
}

/** Says a day, with its year. */
export function day (iso: string): string {
  return new Date(iso).toLocaleDateString(language, { day: 'numeric', month: 'long', year: 'numeric' })
}

/** Says a moment with its day and its seconds, for the title of a shorter one. */
export function exactly (iso: string): string {
  return new Date(iso).toLocaleString(language, { dateStyle: 'full', timeStyle: 'medium' })
}

/** Says how long so many seconds are, such as "3 days": in the largest unit of which it has two, or that says it exactly. */
export function duration (seconds: number): string {
  const [unit, length] = units.find(([, length]) => seconds >= 2 * length || seconds === length) ?? units[3]
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(Math.max(0, Math.round(seconds / length)))
}

/** Says how long it is until a moment: by the second in the last hour, such as "4:05". */
export function countdown (iso: string): string {
  const seconds = Math.max(0, Math.ceil((Date.parse(iso) - Date.now()) / SECOND))
  if (seconds >= 3600) return duration(seconds)
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`
}

/**
 * Renders the component anew when the moment has come, and until then as often as `countdown` changes, if `isShown`. Without a moment it
 * does nothing. @returns whether the moment is still to come.
 */
export function useMoment (iso: string | null | undefined, isShown = false): boolean {
  const [, setTick] = useState(0)
  const left = iso ? Date.parse(iso) - Date.now() : 0
  useEffect(() => {
    if (left <= 0) return
    const timer = setTimeout(() => setTick(tick => tick + 1), Math.min(isShown ? untilChange(left) : left + 1, LONGEST_TIMEOUT))
    return () => clearTimeout(timer)
  })
  return left > 0
}

/** Milliseconds until `countdown` says something else. */
function untilChange (left: number): number {
  return left < 3600 * SECOND ? left % SECOND + 1 : 60 * SECOND
}
