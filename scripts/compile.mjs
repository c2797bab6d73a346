// Compiles TypeScript. `scripts/setup.mjs` calls it, and imports it only when the packages are installed.
import { readFileSync } from 'node:fs'
import { build, stop } from 'esbuild'

/** The ending of a module that is imported by a relative path, as in `from './app.ts'`. */
const IMPORTED = /((?:\bfrom |\bimport |\bimport\()(['"])\.\.?\/[^'"]*)\.ts\2/g

/**
 * Compiles each file by itself and without checking types, which `npm run typecheck` does. esbuild does it in a process of its own:
 * TypeScript's compiler would take ten times as long, and leave 200 MB behind in the server's process.
 * @param root where the paths of the files begin.
 * @param outbase the folder whose structure is kept below `outdir`.
 * @returns the first error with its place, or undefined if all files compile.
 */
export async function compileFiles (root, files, outbase, outdir) {
  try {
    await build({
      absWorkingDir: root,
      entryPoints: files,
      outbase,
      outdir,
      // By default esbuild compiles for browsers, and puts a constant where the server asks for NODE_ENV.
      platform: 'neutral',
      format: 'esm',
      target: 'es2022',
      charset: 'utf8',
      sourcemap: true,
      sourcesContent: false,
      logLevel: 'silent',
      plugins: [importingOutputs]
    })
  } catch (error) {
    const [{ text, location }] = error.errors ?? []
    if (text === undefined) throw error
    return `${location?.file ?? outdir}:${location?.line ?? 0}: ${text}`
  } finally {
    // Its process would go on beside the server, with 130 MB.
    await stop()
  }
}

/** Lets a compiled module import the compiled ones. The names keep their length, so that columns of source maps stay right. */
const importingOutputs = {
  name: 'importing-outputs',
  setup ({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path }) => ({ contents: readFileSync(path, 'utf8').replace(IMPORTED, '$1.js$2'), loader: 'ts' }))
  }
}
