// The markup in lines of text.

/** A part of a line of text. A string is text as it is. */
export type Inline =
  | string
  | { type: 'strong' | 'em' | 'del', children: Inline[] }
  | { type: 'code', text: string }
  | { type: 'link', href: string, children: Inline[] }
  | { type: 'mention', handle: string }
  | { type: 'channel', name: string }

/** Levels of emphasis in emphasis. What is deeper is shown as it was typed. */
const MAX_NESTED = 6

const MARKS = { '**': 'strong', '~~': 'del', '*': 'em', _: 'em' } as const
const NEXT = new RegExp([
  '(?<code>`+)',
  '(?<mark>\\*\\*|~~|\\*|_)',
  '\\[(?<label>[^\\[\\]\\n]{1,200})\\]\\((?<target>https?://[^\\s()<>]{1,2000})\\)',
  '(?<url>https?://[^\\s<>"`\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]{1,2000})',
  '(?<![\\p{L}\\p{N}_@/.#&-])@(?<handle>[a-z0-9][a-z0-9_]{2,31})(?![\\p{L}\\p{N}_])',
  '(?<![\\p{L}\\p{N}_@/.#&-])#(?<name>(?![0-9]+(?![a-z0-9_-]))[a-z0-9][a-z0-9_-]{0,63})(?![\\p{L}\\p{N}_])'
].join('|'), 'giu')

/** Returns the parts of one or more lines. */
export function parseInline (text: string, depth = 0): Inline[] {
  const parts: Inline[] = []
  const missing = new Set<string>()
  let from = 0
  const add = (part: Inline, start: number, end: number): void => {
    if (start > from) parts.push(text.slice(from, start))
    parts.push(part)
    from = NEXT.lastIndex = end
  }
  NEXT.lastIndex = 0
  for (let found = NEXT.exec(text); found; found = NEXT.exec(text)) {
    const { index } = found
    const after = NEXT.lastIndex
    const { code, mark, label, target, url, handle, name } = found.groups as Record<string, string | undefined>
    if (code !== undefined) {
      const end = missing.has(code) ? -1 : endOfCode(text, code, after)
      if (end === -1) missing.add(code)
      else add({ type: 'code', text: trimCode(text.slice(after, end)) }, index, end + code.length)
    } else if (mark !== undefined) {
      const isOpen = depth < MAX_NESTED && !missing.has(mark) && opens(text, mark, index)
      const end = isOpen ? endOfMark(text, mark, after) : -1
      if (end !== -1) {
        // The search for parts of the inside uses the same expression.
        const children = parseInline(text.slice(after, end), depth + 1)
        add({ type: MARKS[mark as keyof typeof MARKS], children }, index, end + mark.length)
      } else if (isOpen) {
        missing.add(mark)
      }
    } else if (label !== undefined) {
      const href = hrefOf(target!)
      // A text that looks like an address must not lead to another one.
      if (href !== undefined && !/:\/\/|www\./i.test(label)) add({ type: 'link', href, children: [label] }, index, after)
      else NEXT.lastIndex = index + 1
    } else if (url !== undefined) {
      const whole = trimUrl(url)
      const href = hrefOf(whole)
      if (href !== undefined) add({ type: 'link', href, children: [whole] }, index, index + whole.length)
    } else if (handle !== undefined) {
      add({ type: 'mention', handle }, index, after)
    } else {
      add({ type: 'channel', name: name! }, index, after)
    }
  }
  if (from < text.length) parts.push(text.slice(from))
  return parts
}

/** Emphasis begins where a word does. `__init__` has none. */
function opens (text: string, mark: string, at: number): boolean {
  const next = text[at + mark.length]
  return next !== undefined && !isWord(text[at - 1]) && !/\s/.test(next) && (mark.length > 1 || next !== mark)
}

/** Returns where the emphasis ends whose inside begins at `from`: after a word. -1 where it does not. */
function endOfMark (text: string, mark: string, from: number): number {
  for (let at = text.indexOf(mark, from + 1); at !== -1; at = text.indexOf(mark, at + 1)) {
    // In `***both***` the inner mark ends first.
    if (mark.length > 1) while (text[at + mark.length] === mark[0]) at++
    else if (text[at - 1] === mark || text[at + 1] === mark) continue
    if (!/\s/.test(text[at - 1]!) && !isWord(text[at + mark.length])) return at
  }
  return -1
}

/** Returns where a run of as many backticks stands again, or -1. */
function endOfCode (text: string, run: string, from: number): number {
  for (let at = text.indexOf(run, from); at !== -1;) {
    let end = at + run.length
    while (text[end] === '`') end++
    if (end - at === run.length) return at
    at = text.indexOf(run, end)
  }
  return -1
}

/** Blanks around code that begins or ends with a backtick are not part of it. */
function trimCode (text: string): string {
  return /^ .*` $|^ `.* $/s.test(text) ? text.slice(1, -1) : text
}

/** Punctuation after an address is not part of it, and neither is a bracket that was opened before it. */
function trimUrl (url: string): string {
  let end = url.length
  for (; end > 0; end--) {
    const last = url[end - 1]!
    if (last === ')' ? count(url, '(', end) < count(url, ')', end) : /[.,:;!?'*_~\]}]/.test(last)) continue
    break
  }
  return url.slice(0, end)
}

function count (text: string, character: string, end: number): number {
  let found = 0
  for (let at = text.indexOf(character); at !== -1 && at < end; at = text.indexOf(character, at + 1)) found++
  return found
}

/** Returns the address of a link, undefined for one that is not http or https, or that hides its host behind a name. */
function hrefOf (text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const { protocol, username, password, href } = new URL(text)
  return /^https?:$/.test(protocol) && username + password === '' ? href : undefined
}

function isWord (character: string | undefined): boolean {
  return character !== undefined && /[\p{L}\p{N}_]/u.test(character)
}
