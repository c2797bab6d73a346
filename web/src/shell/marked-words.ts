/** Characters that are shown of a long text, before and after its first marked word. */
const BEFORE = 120
const SHOWN = 480

const WORD = /[\p{L}\p{N}_]+/gu

/** Returns the words that a search looks for: not those after a minus, and not the `or` between two. */
export function wordsOf (query: string): string[] {
  return query.toLowerCase().split(/("[^"]*"|\s+)/)
    .filter(part => !part.startsWith('-') && part !== 'or')
    .flatMap(part => part.match(WORD) ?? [])
}

/** Splits a text at its marked words: every second part is one. A long text is cut around the first of them. */
export function marked (text: string, words: readonly string[]): string[] {
  const wanted = new Set(words)
  const hits = [...text.matchAll(WORD)].filter(([word]) => wanted.has(word.toLowerCase()))
  const from = text.length <= SHOWN ? 0 : Math.max(0, (hits[0]?.index ?? 0) - BEFORE)
  const to = Math.min(text.length, from + SHOWN)
  const parts: string[] = []
  let at = from
  for (const { 0: word, index } of hits) {
    if (index < from || index + word.length > to) continue
    parts.push(text.slice(at, index), word)
    at = index + word.length
  }
  parts.push(text.slice(at, to))
  if (from > 0) parts[0] = `… ${parts[0]!.trimStart()}`
  if (to < text.length) parts[parts.length - 1] += ' …'
  return parts
}
