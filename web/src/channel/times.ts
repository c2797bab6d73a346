import { language, t } from '../text.ts'

const formats = new Map<string, Intl.DateTimeFormat>()

/** Making a format takes far longer than using it. */
function format (name: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const tag = navigator.language.startsWith(language) ? navigator.language : language
  const made = formats.get(name) ?? new Intl.DateTimeFormat(tag, options)
  formats.set(name, made)
  return made
}

/** Remembers the last text: of the messages that are rendered together, many were written in the same minute. */
function perMinute (textOf: (at: number) => string): (at: number) => string {
  let [known, text] = [-1, '']
  return at => {
    const minute = Math.floor(at / 60_000)
    if (minute !== known) [known, text] = [minute, textOf(at)]
    return text
  }
}

export const timeOf = perMinute(at => format('time', { hour: 'numeric', minute: '2-digit' }).format(at))

/** The time without `AM` or `PM`, for narrow places. */
export const shortTimeOf = perMinute(at => {
  const parts = format('time', { hour: 'numeric', minute: '2-digit' }).formatToParts(at)
  return parts.filter(({ type }) => type !== 'dayPeriod').map(({ value }) => value).join('').trim()
})

export const dateAndTimeOf = perMinute(at => format('both', { dateStyle: 'full', timeStyle: 'short' }).format(at))

/** A number that is the same for all moments of a day here. */
export function dayOf (at: number): number {
  const date = new Date(at)
  return (date.getFullYear() * 12 + date.getMonth()) * 31 + date.getDate()
}

/** The name of a day, such as `Today` or `Monday, 2 March`. */
export function nameOfDay (at: number, now = Date.now()): string {
  if (dayOf(at) === dayOf(now)) return t.channel.today
  const yesterday = new Date(now)
  yesterday.setDate(yesterday.getDate() - 1)
  if (dayOf(at) === dayOf(+yesterday)) return t.channel.yesterday
  const isThisYear = new Date(at).getFullYear() === new Date(now).getFullYear()
  return format(isThisYear ? 'day' : 'day-and-year', {
    weekday: 'long', day: 'numeric', month: 'long', ...!isThisYear && { year: 'numeric' }
  }).format(at)
}
