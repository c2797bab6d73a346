/** Compares the length in Unicode code points [P25]. A code point has one or two UTF-16 units, so most texts need no counting. */
export function longerThan (text: string, max: number): boolean {
  return text.length > max && (text.length > 2 * max || [...text].length > max)
}
