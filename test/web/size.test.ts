import { readFileSync } from 'node:fs'
import { gzipped, scriptsOfChat, scriptsOfLinks } from '../../scripts/bench/web/bytes.ts'
import { t } from '../tap.ts'

const MAX_KILOBYTES = 60

t.test(`the chat loads at most ${MAX_KILOBYTES} KB of compressed scripts, and nothing of the administrators' console`, async t => {
  const scripts = scriptsOfChat()
  const kilobytes = gzipped(scripts) / 1024
  t.ok(kilobytes > 20, 'the scripts are found')
  t.ok(kilobytes <= MAX_KILOBYTES, `${kilobytes.toFixed(1)} KB`)
  const sources = sourcesOf(scripts)
  t.ok(sources.some(source => source.endsWith('/channel/channel-view.tsx')))
  t.same(sources.filter(source => source.includes('/src/admin/')), [])
})

t.test('browsers load the login form together with the app, because the page names its scripts', async t => {
  const sources = sourcesOf(scriptsOfLinks())
  const parts = ['/entry/login-form.tsx', '/ui/field.tsx', '/text/en-more.ts']
  t.same(parts.filter(part => !sources.some(source => source.endsWith(part))), [])
})

function sourcesOf (scripts: string[]): string[] {
  return scripts.flatMap(script => JSON.parse(readFileSync(`${script}.map`, 'utf8')).sources as string[])
}
