// Every published text begins with a stamp: `~publisher~slot~microseconds~`. Its fields have fixed positions, so that a stamp can be
// written into a prepared frame and read from a received one without parsing.
const PUBLISHER_DIGITS = 5
const SLOT_DIGITS = 2
const TIME_DIGITS = 12
const SLOT_AT = 1 + PUBLISHER_DIGITS + 1
const TIME_AT = SLOT_AT + SLOT_DIGITS + 1

export const MARK = 0x7e
export const MAX_SLOTS = 10 ** SLOT_DIGITS
/** Characters of a published text: the length of a short chat line. */
export const TEXT_LENGTH = 64

export function stampedText (publisher: number, slot: number): string {
  const fields = [[publisher, PUBLISHER_DIGITS], [slot, SLOT_DIGITS], [0, TIME_DIGITS]] as const
  return `~${fields.map(([value, digits]) => String(value).padStart(digits, '0')).join('~')}~`.padEnd(TEXT_LENGTH, '.')
}

/** Microseconds of this process's own clock. */
export function now (): number {
  return Math.round(performance.now() * 1000)
}

/** `at` is the position at which the stamp begins. */
export function writeTime (bytes: Buffer, at: number, time: number): void {
  for (let place = at + TIME_AT + TIME_DIGITS - 1; place >= at + TIME_AT; place--) {
    bytes[place] = 0x30 + time % 10
    time = Math.floor(time / 10)
  }
}

export function readTime (bytes: Buffer, at: number): number {
  return readNumber(bytes, at + TIME_AT, TIME_DIGITS)
}

export function readPublisher (bytes: Buffer, at: number): number {
  return readNumber(bytes, at + 1, PUBLISHER_DIGITS)
}

export function readSlot (bytes: Buffer, at: number): number {
  return readNumber(bytes, at + SLOT_AT, SLOT_DIGITS)
}

function readNumber (bytes: Buffer, at: number, digits: number): number {
  let value = 0
  for (let place = at; place < at + digits; place++) value = value * 10 + bytes[place]! - 0x30
  return value
}
