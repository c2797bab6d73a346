import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/root.ts'
import { errorTable } from '../../src/errors.ts'
import { table } from '../../src/requests/table.ts'
import { t, type Test } from '../tap.ts'

const page = readFileSync(join(root, 'docs/protocol.md'), 'utf8')
/** The rows of tables, by the names in their first cell. A request and a notice may have the same name. */
const rowsOf = (text: string) => new Map(text.split('\n').filter(line => line.startsWith('| `')).flatMap(line => {
  const [, first = '', ...cells] = line.split(/(?<!\\)\|/).map(cell => cell.trim())
  return [...first.matchAll(/`(\w+)`/g)].map(([, name]) => [name!, cells.join(' | ')] as const)
}))
const [, asked = ''] = /## Client → server\n(.*?)\n## /s.exec(page) ?? []
const [requestRows, rows] = [rowsOf(asked), rowsOf(page)]

/** Whether the cells name every field but `type`, which the page explains beside its tables. */
function hasFields (t: Test, cells: string | undefined, name: string, fields: object): void {
  for (const field of Object.keys(fields).filter(field => field !== 'type')) {
    t.match(cells, new RegExp(`\\b${field}\\b`), `${name}: ${field}`)
  }
}

t.test('docs/protocol.md has every request and command of the table and no other, with its fields and its reply', async t => {
  const names = [...asked.matchAll(/^\| (`\w+`(?: \/ `\w+`)*) \|/gm)].flatMap(([, cell]) => [...cell!.matchAll(/\w+/g)].map(String))
  t.same(names.filter(name => name !== 'command').sort(), Object.keys(table).sort())
  for (const [name, { fields, reply }] of Object.entries(table)) {
    const cells = requestRows.get(name)
    if (!t.type(cells, 'string', `${name} has a row`)) continue
    t.ok(cells!.includes('action' in reply ? `\`${reply.action}\`` : `"${reply.type}"`), `${name}: its reply`)
    hasFields(t, cells, name, { ...fields, ...('data' in reply ? reply.data : reply.fields).properties })
  }
})

t.test('docs/protocol.md has every notice of the table', async t => {
  const notices = Object.values(table).flatMap(({ notices = {} }) => Object.entries(notices))
  for (const [name, { properties }] of notices) hasFields(t, rows.get(name), name, properties)
})

t.test('docs/protocol.md has every error that WebSocket clients can get, with its text', async t => {
  const restOnly = [
    'invalid_request', 'not_found', 'registration_closed', 'invalid_invitation_code', 'invitation_code_not_found', 'login_not_found',
    'connection_not_found', 'cross_origin', 'email_not_verified', 'invalid_code', 'handle_taken', 'report_not_found', 'report_settled',
    'email_taken', 'payload_too_large', 'unsupported_media_type'
  ]
  for (const [code, { message }] of Object.entries(errorTable).filter(([code]) => !restOnly.includes(code))) {
    t.match(rows.get(code)?.split(' | ')[0], message.replace(/: $/, ''), code)
  }
})
