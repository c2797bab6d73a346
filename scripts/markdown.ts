/** Writes a table in Markdown. The cells are texts that `cell` has made safe. */
export function table (head: string[], rows: string[][]): string {
  const lines = [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`)
  return `${lines.join('\n')}\n`
}

/** Makes a text fit for a cell of a table. */
export function cell (text: string): string {
  return text.replaceAll('|', '\\|').replace(/\s*\n\s*/g, ' ')
}
