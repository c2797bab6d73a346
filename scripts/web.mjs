// Bundles the web app. `scripts/setup.mjs` calls it, and imports it only when the packages are installed.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { build, stop } from 'esbuild'

/** Files that are worth compressing. */
const TEXT = /\.(js|css|svg|webmanifest)$/
/**
 * What people who are not logged in see first, and its texts. The page names these files, so that browsers load them together with the app.
 * Others need nearly all of it, too: the app loads the texts soon after its start, and the settings share the fields.
 */
const FIRST_VIEW = ['src/entry/entry.tsx', 'src/text/en-more.ts']

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
  const { metafile } = await build({
    ...options,
    entryPoints: [at('src/main.tsx'), at('src/main.css')],
    splitting: true,
    metafile: true,
    plugins: [sharingWith(at('src/main.tsx'))],
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
  // The server that starts next does not need esbuild's process.
  await stop()
  const page = readFileSync(at('index.html'), 'utf8').replaceAll('{assets}', assets)
  const preloads = filesOf(metafile, ['src/main.tsx', ...FIRST_VIEW])
    .map(path => `<link rel="modulepreload" href="${path.replace('web/dist/', '')}">`)
  writeFileSync(at('dist/index.html'), page.replace('{preloads}', preloads.join('\n')))
  for (const name of readdirSync(at('dist'), { recursive: true }).filter(name => TEXT.test(name))) compress(at('dist', name))
}

/**
 * esbuild makes a file for each set of parts that share something, and many small files compress badly. Parts that are loaded later
 * therefore import `main`, which is there before them anyway: what they share with it stays in one file with it.
 */
function sharingWith (main) {
  return {
    name: 'sharing',
    setup ({ resolve, onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, async ({ kind, path, resolveDir }) => {
        if (kind !== 'dynamic-import') return
        return { ...await resolve(path, { kind: 'import-statement', resolveDir }), namespace: 'later' }
      })
      onLoad({ filter: /./, namespace: 'later' }, ({ path }) => ({
        contents: `import ${JSON.stringify(main)}\nexport * from ${JSON.stringify(path)}`, resolveDir: dirname(path)
      }))
    }
  }
}

/** Returns the bundled files of these sources and what they import before they run, so that browsers load all of them at once. */
function filesOf ({ outputs }, sources) {
  const found = new Set(sources.map(source => Object.keys(outputs).find(path => outputs[path].entryPoint?.endsWith(source))))
  // A set shows what is added to it to whoever goes through it.
  for (const path of found) {
    for (const { kind, path: imported } of outputs[path].imports) if (kind === 'import-statement') found.add(imported)
  }
  return [...found]
}

function compress (file) {
  const content = readFileSync(file)
  writeFileSync(`${file}.gz`, gzipSync(content, { level: 9 }))
  writeFileSync(`${file}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: content.length } }))
}
