// The examples, each on a server of its own.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'
import { startParley } from '../src/testing/index.ts'
import { root } from './root.ts'

/** The page of each example. */
export const pages: Record<string, string> = { page: 'page', react: 'react', 'node-bot': 'page' }

interface File { type: string, content: string | Uint8Array }

/**
 * Starts a server with the example of this name, a key of `pages`.
 * @param databaseUrl a PostgreSQL database, if the server should not have one in memory.
 * @returns the address of the example's page.
 */
export async function startExample (name: string, databaseUrl?: string) {
  const config = { authentication: { guests: true }, server: { allowed_origins: '*' } }
  const parley = await startParley({ config, ...databaseUrl !== undefined && { databaseUrl } })
  const site = await serve(pages[name]!)
  const bot = name === 'node-bot' ? startBot(parley.url) : undefined
  return {
    url: `http://127.0.0.1:${(site.address() as AddressInfo).port}/?server=${encodeURIComponent(parley.url)}`,
    async close (): Promise<void> {
      bot?.kill()
      site.close()
      site.closeAllConnections()
      await parley.close()
    }
  }
}

/** Serves the files of a page on a free port. */
async function serve (page: string): Promise<Server> {
  const bundle = page === 'react' ? await bundleReact() : undefined
  const server = createServer(async ({ url = '/' }, response) => {
    const file = await find(page, new URL(url, 'http://localhost').pathname, bundle).catch(() => undefined)
    response.writeHead(file ? 200 : 404, { 'content-type': file?.type ?? 'text/plain' }).end(file?.content ?? 'not found')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

async function find (page: string, path: string, bundle: Uint8Array | undefined): Promise<File | undefined> {
  if (path === '/') return { type: 'text/html; charset=utf-8', content: await readFile(join(root, 'examples', page, 'index.html')) }
  if (path === '/main.js' && bundle) return { type: 'text/javascript', content: bundle }
  const [, module] = /^\/client\/((?:generated\/)?[\w-]+\.js)$/.exec(path) ?? []
  if (module !== undefined) return { type: 'text/javascript', content: await readFile(join(root, 'client/dist', module)) }
}

async function bundleReact (): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [join(root, 'examples/react/main.tsx')],
    bundle: true, format: 'esm', target: 'es2022', jsx: 'automatic', minify: true, write: false,
    define: { 'process.env.NODE_ENV': '"production"' }
  })
  return outputFiles[0]!.contents
}

function startBot (url: string) {
  return spawn(process.execPath, [join(root, 'examples/node-bot/bot.js')], { env: { ...process.env, PARLEY_URL: url }, stdio: 'inherit' })
}
