// The markup of messages. Every character that somebody typed is part of some token, and nothing is ever HTML.
import { parseInline, type Inline } from './inline-markup.ts'

/** A part of a message that stands for itself. */
export type Block =
  | { type: 'text', children: Inline[] }
  | { type: 'code', language: string, text: string }
  | { type: 'quote', children: Block[] }

/** Levels of quotes in quotes. What is deeper is shown as it was typed. */
const MAX_QUOTES = 3
/** UTF-16 units that are searched for markup. Servers may allow longer texts. */
const MAX_LENGTH = 20_000

const FENCE = /^```[\w+#.-]*$/
const END = /^```\s*$/

/** Returns the parts of a message's text: ``` blocks, `>` quotes, and lines with `code`, **strong**, *emphasis*, ~~deleted~~ and links. */
export function parseMarkup (text: string): Block[] {
  if (text.length <= MAX_LENGTH) return blocksOf(text.split('\n'), 0)
  return [...blocksOf(text.slice(0, MAX_LENGTH).split('\n'), 0), { type: 'text', children: [text.slice(MAX_LENGTH)] }]
}

function blocksOf (lines: string[], depth: number): Block[] {
  const blocks: Block[] = []
  let plain: string[] = []
  const endText = (): void => {
    if (plain.length > 0) blocks.push({ type: 'text', children: parseInline(plain.join('\n')) })
    plain = []
  }
  let lastFence = lines.findLastIndex(line => END.test(line))
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    if (at < lastFence && FENCE.test(line)) {
      const end = lines.findIndex((other, index) => index > at && END.test(other))
      endText()
      blocks.push({ type: 'code', language: line.slice(3), text: lines.slice(at + 1, end).join('\n') })
      at = end
      if (at >= lastFence) lastFence = -1
    } else if (line.startsWith('>') && depth < MAX_QUOTES && isQuote(line)) {
      let end = at
      while (end < lines.length && isQuote(lines[end]!)) end++
      endText()
      blocks.push({ type: 'quote', children: blocksOf(lines.slice(at, end).map(quoted => quoted.replace(/^> ?/, '')), depth + 1) })
      at = end - 1
    } else {
      plain.push(line)
    }
  }
  endText()
  return blocks
}

/** A quote has text, so that `>` and `>_<` and `>=` stay what they are. */
function isQuote (line: string): boolean {
  return /^>(?: |>+ )\s*\S/.test(line)
}

/** Returns the text of a message on one line, without its markup. */
export function plainText (text: string): string {
  return parseMarkup(text).map(plainOf).join(' ').replace(/\s+/g, ' ')
}

function plainOf (part: Block | Inline): string {
  if (typeof part === 'string') return part
  switch (part.type) {
    case 'code': return part.text
    case 'mention': return `@${part.handle}`
    case 'channel': return `#${part.name}`
    default: return part.children.map(plainOf).join('')
  }
}
