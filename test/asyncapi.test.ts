import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Parser } from '@asyncapi/parser'
import { root } from '../scripts/root.ts'
import { asyncApi } from '../src/requests/asyncapi.ts'
import { errorsOf, noticeFrames } from '../src/requests/frames.ts'
import { table } from '../src/requests/table.ts'
import { createJudge, type Document } from './asyncapi-judge.ts'
import { startServer } from './helper.ts'
import { t } from './tap.ts'

const file = readFileSync(join(root, 'docs/asyncapi.json'), 'utf8')
const document = JSON.parse(file) as Document
/** AsyncAPI's numbers for severities: errors and warnings are below it. */
const INFORMATION = 2

const server = await startServer(t)

t.test('/asyncapi.json is the document of docs/asyncapi.json', async t => {
  t.same((await server.call('GET', '/asyncapi.json')).body, document)
})

t.test('docs/asyncapi.json is a valid AsyncAPI 3.0 document, without warnings', async t => {
  t.equal(document.asyncapi, '3.0.0')
  const diagnostics = await new Parser().validate(file)
  const faults = diagnostics.filter(({ severity }) => severity < INFORMATION)
  t.same(faults.map(({ code, message, path }) => `${code} ${message} ${path.join('.')}`), [])
})

t.test('the document has an operation for every request, command and notice, with replies, errors and examples that fit', async t => {
  const { operations, components: { messages } } = asyncApi()
  t.same(Object.keys(operations).sort(), [...Object.keys(table), ...Object.keys(noticeFrames).map(type => `notice_${type}`)].sort())
  for (const [name, row] of Object.entries(table)) {
    const operation = operations[name]!
    t.match(operation, { action: 'receive', summary: /^[A-Z].*\.$/, messages: { length: 1 }, reply: { messages: { length: 2 } } }, name)
    t.same(operation['x-errors'], errorsOf(row), name)
    t.equal(operation.security === undefined, row.who === 'anyone', `${name}: security`)
  }
  for (const type of Object.keys(noticeFrames)) t.match(operations[`notice_${type}`], { action: 'send', summary: /^[A-Z].*\.$/ }, type)
  const { fits } = createJudge(document)
  for (const [key, { examples }] of Object.entries(messages)) {
    for (const { payload } of examples) t.ok(fits(key, payload), `${key}: ${JSON.stringify(payload)}`)
  }
})

t.test('/docs/websocket shows the document: a page without scripts, whose links lead somewhere, under a strict policy', async t => {
  const response = await fetch(`${server.origin}/docs/websocket`)
  t.equal(response.status, 200)
  t.match(response.headers.get('content-type'), /^text\/html/)
  const html = await response.text()
  const [, style = ''] = /<style>(.*?)<\/style>/s.exec(html) ?? []
  const hash = createHash('sha256').update(style).digest('base64')
  t.equal(response.headers.get('content-security-policy'),
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`)
  t.notMatch(html, /<script|\sstyle=|\son\w+=|javascript:|(?:src|href)="\w+:/i)

  const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id!)
  t.equal(new Set(ids).size, ids.length, 'no id is there twice')
  for (const [, target] of html.matchAll(/href="#([^"]+)"/g)) t.ok(ids.includes(target!), `#${target}`)
  for (const name of Object.keys(document.operations)) t.ok(ids.includes(name), `${name} is on the page`)
  for (const path of ['/asyncapi.json', '/docs']) t.equal((await fetch(server.origin + path)).status, 200, path)
  t.match((await server.call('GET', '/openapi.json')).body.info.description, '(/docs/websocket)', '/docs links to it')
})
