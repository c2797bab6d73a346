import { language } from '../text.ts'

const KIB = 1024

/** Says a number, with one digit after the point where it is small. */
export function count (value: number): string {
  return value.toLocaleString(language, { maximumFractionDigits: value < 10 ? 1 : 0 })
}

/** Says milliseconds, such as "1.2 ms". */
export function ms (value: number): string {
  return `${count(value)} ms`
}

/** Says a part of one in percent. */
export function percent (value: number): string {
  return value.toLocaleString(language, { style: 'percent' })
}

/** Says bytes in the unit that fits, such as "1.5 MiB". */
export function bytes (value: number): string {
  const power = value < KIB ? 0 : Math.min(3, Math.floor(Math.log(value) / Math.log(KIB)))
  const number = (value / KIB ** power).toLocaleString(language, { maximumFractionDigits: power === 0 ? 0 : 1 })
  return `${number} ${['B', 'KiB', 'MiB', 'GiB'][power]}`
}

/** Returns the end of an id, which is enough to tell a few of them apart. */
export function shortId (id: string): string {
  return id.slice(-6)
}
