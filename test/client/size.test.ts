import { gzipSync } from 'node:zlib'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { root } from '../../scripts/root.ts'
import { t } from '../tap.ts'

/** Bytes, minified and compressed. The goal is 9 KiB. */
const MOST = 16 * 1024
/** The part of them that shares one socket between tabs, and the size of the worker, which a browser loads once for all tabs. */
const MOST_OF_TABS = 2 * 1024
const MOST_OF_WORKER = 4 * 1024

/** Bundles a file of the client, without the sharing between tabs if `isAlone`. */
async function bundle (file: string, isAlone = false) {
  const alone: Plugin = {
    name: 'alone',
    setup: ({ onLoad }) => onLoad({ filter: /\/tabs\.js$/ }, () => ({ contents: 'export const createTabs = () => {}' }))
  }
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'client/dist', file)],
    bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, metafile: true, absWorkingDir: root,
    plugins: isAlone ? [alone] : []
  })
  const { inputs } = Object.values(metafile.outputs)[0]!
  return { inputs, size: gzipSync(outputFiles[0]!.contents, { level: 9 }).length }
}

t.test(`the client is at most ${MOST} bytes, ${MOST_OF_TABS} of them for tabs, and their worker ${MOST_OF_WORKER}`, async t => {
  const { size, inputs } = await bundle('index.js')
  const tabs = size - (await bundle('index.js', true)).size
  const worker = await bundle('worker.js')
  t.comment(`${size} bytes, ${tabs} of them for tabs, ${worker.size} for their worker; before compression:`)
  for (const [file, { bytesInOutput }] of Object.entries(inputs)) t.comment(`${bytesInOutput} ${file}`)
  t.same([inputs, worker.inputs].flatMap(Object.keys).filter(file => !file.startsWith('client/dist/')), [], 'no dependencies')
  t.ok(size <= MOST, `${size} bytes`)
  t.ok(tabs <= MOST_OF_TABS, `${tabs} bytes for tabs`)
  t.ok(worker.size <= MOST_OF_WORKER, `${worker.size} bytes for the worker`)
})
