import { readFileSync } from 'node:fs'
import { gzipped, scriptsOfChat } from '../../scripts/bench/web/bytes.ts'
import { t } from '../tap.ts'

const MAX_KILOBYTES = 60

t.test(`the chat loads at most ${MAX_KILOBYTES} KB of compressed scripts, and nothing of the administrators' console`, async t => {
  const scripts = scriptsOfChat()
  const kilobytes = gzipped(scripts) / 1024
  t.ok(kilobytes > 20, 'the scripts are found')
  t.ok(kilobytes <= MAX_KILOBYTES, `${kilobytes.toFixed(1)} KB`)
  const sources = scripts.flatMap(script => JSON.parse(readFileSync(`${script}.map`, 'utf8')).sources as string[])
  t.ok(sources.some(source => source.endsWith('/channel/channel-view.tsx')))
  t.same(sources.filter(source => source.includes('/src/admin/')), [])
})
