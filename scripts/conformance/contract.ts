import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../root.ts'

/** The tables of docs/protocol.md. The page itself judges, so that a foreign server is judged by the same words. */
export interface Contract {
  /** The numbers of all rules, in the order of the page. */
  rules: string[]
  /** Error codes with their exact text, null where it varies, and the HTTP status, null where REST never has it. */
  errors: Map<string, { text: string | null, status: number | null }>
  /** Close codes with their reasons. */
  closes: Map<number, string>
  /** Fields that a reply's `data` always has, by `action`; for replies with a type of their own, the frame's fields by type. */
  replies: Map<string, string[]>
  /** Fields that frames which nobody asked for always have, by `type`. */
  notices: Map<string, string[]>
}

export function readContract (): Contract {
  const page = readFileSync(join(root, 'docs/protocol.md'), 'utf8')
  const section = (title: string) => page.split(/^## /m).find(part => part.startsWith(title)) ?? ''
  const rows = (title: string) => [...section(title).matchAll(/^\| (.*) \|$/gm)].map(([, row]) => row!.split(' | '))
  return {
    rules: [...page.matchAll(/^- \[(P\d+)\]/gm)].map(([, rule]) => rule!),
    errors: readErrors(section('Errors'), rows('Errors')),
    closes: new Map(rows('Close codes').filter(([code]) => /^\d+$/.test(code!)).map(([code, reason]) => [Number(code), reason!])),
    replies: new Map(rows('Client → server').flatMap(([, , reply]) => readReply(reply ?? ''))),
    notices: new Map(rows('Server → client').flatMap(([types, fields]) =>
      codesOf(types!).map(type => [type, required(codesOf(untilRemark(fields ?? '')).join(''))] as const)))
  }
}

function readErrors (text: string, rows: string[][]): Contract['errors'] {
  const shared = rows.filter(([code]) => code?.startsWith('`')).map(([code, message, status]) =>
    [codesOf(code!)[0]!, { text: /[A-Z]{4}/.test(message!) ? null : message!, status: parseInt(status!) || null }] as const)
  const prose = text.slice(text.indexOf('REST only:')).replace(/\s+/g, ' ')
  const restOnly = [...prose.matchAll(/`(\w+)` (\d{3})(?: ([A-Z][a-z ]+))?/g)].map(([, code, status, message]) =>
    [code!, { text: message ?? null, status: Number(status) }] as const)
  return new Map([...shared, ...restOnly])
}

/** Reads cells such as "`success` action `x` / `y`, data `{…}`", "`x` · `{…}`" and "`{type:"x", …}`". */
function readReply (cell: string): Array<[string, string[]]> {
  const [names, fields] = [cell.slice(0, cell.indexOf('{')), codesOf(cell.slice(cell.indexOf('{') - 1))[0] ?? '']
  const inner = required(fields.replace(/^\{|\}$/g, ''))
  const type = /^\{type:"(\w+)"/.exec(fields)?.[1]
  if (type !== undefined) return [[type, inner]]
  return codesOf(names).filter(name => name !== 'success' && /^\w+$/.test(name)).map(action => [action, inner])
}

/** The texts between backticks. */
function codesOf (cell: string): string[] {
  return [...cell.matchAll(/`([^`]*)`/g)].map(([, code]) => code!)
}

/** Cuts remarks in brackets, and what follows the list of fields. */
function untilRemark (cell: string): string {
  const list = cell.replace(/\([^)]*\)/g, '')
  const end = /`[:;]/.exec(list)
  return end ? list.slice(0, end.index + 1) : list
}

/** The names at the top level of a list of fields, without those that are optional. */
function required (list: string): string[] {
  let depth = 0
  let flat = ''
  for (const char of list) {
    if ('{['.includes(char)) depth++
    if (depth === 0) flat += char
    if ('}]'.includes(char)) depth--
  }
  return flat.split(',').flatMap(item => /^\s*(\w+)(?!\w|\?)/.exec(item)?.[1] ?? [])
}
