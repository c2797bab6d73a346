// Bundles the web app. `scripts/setup.mjs` calls it, and imports it only when the packages are installed.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** Files that are worth compressing. */
const TEXT = /\.(js|css|svg|webmanifest)$/

/**
 * Bundles web/src into web/dist. Scripts, styles and icons are in a folder named after `version`, so that browsers may keep them for ever,
 * and a page never meets a file of another version. Each has a compressed copy beside it.
 */
export async function bundleWeb (root, version) {
  const at = (...parts) => join(root, 'web', ...parts)
  const assets = `assets/${version}`
  rmSync(at('dist'), { recursive: true, force: true })
  const options = {
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    alias: { react: 'preact/compat', 'react-dom': 'preact/compat' },
    define: { 'globalThis.PARLEY_ASSETS': JSON.stringify(assets) },
    legalComments: 'none',
    logLevel: 'warning'
  }
  await build({
    ...options,
    entryPoints: [at('src/main.tsx'), at('src/main.css')],
    splitting: true,
    sourcemap: true,
    chunkNames: '[name]-[hash]',
    outdir: at('dist', assets)
  })
  await build({ ...options, entryPoints: { worker: '@parley/client/worker' }, outdir: at('dist', assets) })
  for (const name of readdirSync(at('static'))) writeFileSync(at('dist', assets, name), readFileSync(at('static', name)))
  // Only administrators load their console, and only with a network.
  const files = readdirSync(at('dist', assets)).filter(name => !/\.map$|^admin-/.test(name)).map(name => `${assets}/${name}`)
  const define = { ...options.define, PARLEY_FILES: JSON.stringify(files) }
  await build({ ...options, define, entryPoints: [at('src/sw.ts')], format: 'iife', outdir: at('dist') })
  writeFileSync(at('dist/index.html'), readFileSync(at('index.html'), 'utf8').replaceAll('{assets}', assets))
  for (const name of readdirSync(at('dist'), { recursive: true }).filter(name => TEXT.test(name))) compress(at('dist', name))
}

function compress (file) {
  const content = readFileSync(file)
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }))
}
