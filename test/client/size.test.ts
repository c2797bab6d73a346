import { gzipSync } from 'node:zlib'
import { join } from 'node:path'
import { build } from 'esbuild'
import { root } from '../../scripts/root.ts'
import { t } from '../tap.ts'

/** Bytes, minified and compressed. The goal is 7 KiB. */
const MOST = 10.5 * 1024

t.test(`the client is at most ${MOST} bytes`, async t => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'client/dist/index.js')],
    bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, metafile: true
  })
  const size = gzipSync(outputFiles[0]!.contents, { level: 9 }).length
  const { inputs } = Object.values(metafile.outputs)[0]!
  t.comment(`${size} bytes; before compression:`)
  for (const [file, { bytesInOutput }] of Object.entries(inputs)) t.comment(`${bytesInOutput} ${file}`)
  t.same(Object.keys(inputs).filter(file => !file.startsWith('client/dist/')), [], 'no dependencies')
  t.ok(size <= MOST, `${size} bytes`)
})
