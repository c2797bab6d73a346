/**
 * Makes text that users wrote safe to print to a terminal. Characters that could move the cursor or colour, reorder or hide text (control
 * and format characters, line separators, lone surrogates) are written as escapes. Backslashes are too, so that no escape can be forged.
 */
export function printable (text: string): string {
  return text.replace(/[\\\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/gu, escaped)
}

function escaped (character: string): string {
  if (character === '\\') return '\\\\'
  const known = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }[character]
  return known ?? `\\u{${character.codePointAt(0)!.toString(16)}}`
}
