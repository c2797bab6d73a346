import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { root } from '../../root.ts'

/** Bytes of what this import statement brings into a browser: bundled and minified by esbuild, and compressed by gzip at level 9. */
export async function sizeOf (statement: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: statement, resolveDir: join(root, 'scripts') },
    bundle: true, minify: true, format: 'esm', platform: 'browser', target: 'es2022', write: false, logLevel: 'error'
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}
