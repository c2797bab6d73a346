/**
 * Says how well a text fits what somebody types to find it: 0 is not at all, 4 is the same text. The letters have to be beginnings of its
 * words, in their order, so that `gade` finds `garden-design` and `an` finds `Jo Ann`.
 */
export function fitOf (query: string, text: string): number {
  const [wanted, whole] = [fold(query).trim(), fold(text)]
  if (wanted === '' || wanted === whole) return 4
  if (whole.startsWith(wanted)) return 3
  const words = whole.split(/[^\p{L}\p{N}]+/u).filter(Boolean)
  const parts = wanted.split(/[^\p{L}\p{N}]+/u).filter(Boolean)
  if (parts.length === 0) return 0
  if (parts.every(part => words.some(word => word.startsWith(part)))) return 2
  return beginsWords(parts.join(''), words) ? 1 : 0
}

/** Whether the letters can be cut into beginnings of the words, in their order. */
function beginsWords (letters: string, words: readonly string[]): boolean {
  // Ends of the letters that may still have to be found, after each word.
  let rests = new Set([letters])
  for (const word of words) {
    const next = new Set(rests)
    for (const rest of rests) {
      for (let taken = 0; taken < rest.length && rest[taken] === word[taken]; taken++) next.add(rest.slice(taken + 1))
    }
    if (next.has('')) return true
    rests = next
  }
  return false
}

/** Without capitals and accents. */
function fold (text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}
