import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../../scripts/root.ts'
import { t } from '../tap.ts'

const MAX_KILOBYTES = 60
const dist = join(root, 'web/dist')

/** Returns the scripts that the page loads before it shows anything: those of its tags, and all that they import statically. */
function firstScripts (): Set<string> {
  const page = readFileSync(join(dist, 'index.html'), 'utf8')
  const scripts = new Set([...page.matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, src]) => join(dist, src!)))
  // A set shows what is added to it to whoever goes through it.
  for (const script of scripts) {
    const imports = readFileSync(script, 'utf8').matchAll(/(?:\bimport|\bfrom)\s*"(\.[^"]+)"/g)
    for (const [, path] of imports) scripts.add(join(dirname(script), path!))
  }
  return scripts
}

t.test(`the chat loads at most ${MAX_KILOBYTES} KB of compressed scripts, and nothing of the administrators' console`, async t => {
  const scripts = [...firstScripts()]
  const kilobytes = scripts.reduce((sum, script) => sum + statSync(`${script}.gz`).size, 0) / 1024
  t.ok(kilobytes > 20, 'the scripts are found')
  t.ok(kilobytes <= MAX_KILOBYTES, `${kilobytes.toFixed(1)} KB`)
  const sources = scripts.flatMap(script => JSON.parse(readFileSync(`${script}.map`, 'utf8')).sources as string[])
  t.ok(sources.some(source => source.endsWith('/channel/channel-view.tsx')))
  t.same(sources.filter(source => source.includes('/src/admin/')), [])
})
