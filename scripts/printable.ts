/**
 * Text of others as it may go to a terminal: what would move the cursor, colour, reorder or hide other text (control and format
 * characters, line separators, lone surrogates) is written as an escape, and so is a backslash, so that none can be forged.
 */
export function printable (text: string): string {
  return text.replace(/[\\\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, escaped)
}

function escaped (character: string): string {
  if (character === '\\') return '\\\\'
  const known = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character]
  return known ?? `\\u{${character.codePointAt(0)!.toString(16)}}`
}
