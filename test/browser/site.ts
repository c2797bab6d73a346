import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { build } from 'esbuild'
import { build as buildWithVite, type Plugin, type Rolldown } from 'vite'
import { root } from '../../scripts/root.ts'
import type { Scope } from '../helper.ts'

/** The strictest policy under which the client has to work [C14]. `servers`: what pages may connect to. */
const policy = (servers: string[]): string => [
  "default-src 'none'", "script-src 'self'", "worker-src 'self'", `connect-src ${servers.join(' ')}`,
  "require-trusted-types-for 'script'", 'report-uri /violation'
].join('; ')

const PAGE = `
import { createParley } from '@parley/client'
Object.assign(globalThis, { createParley })
`

/** Bundles the client and its worker as an application does with esbuild: the worker is an entry of its own. @returns the files by path. */
export async function bundle (): Promise<Map<string, string>> {
  const options = { bundle: true, minify: true, format: 'esm', target: 'es2022', write: false, absWorkingDir: root } as const
  const page = await build({ ...options, stdin: { contents: PAGE, resolveDir: root } })
  const worker = await build({ ...options, entryPoints: ['@parley/client/worker'] })
  return new Map([['/page.js', page.outputFiles[0]!.text], ['/worker.js', worker.outputFiles[0]!.text]])
}

/** Bundles the client as an application does with Vite, which finds the worker by itself. @returns the files by path. */
export async function bundleWithVite (): Promise<Map<string, string>> {
  const page: Plugin = {
    name: 'page',
    resolveId: id => id === 'page' ? join(root, 'page.js') : undefined,
    load: id => id === join(root, 'page.js') ? PAGE : undefined
  }
  const { output } = await buildWithVite({
    root, configFile: false, logLevel: 'warn', plugins: [page],
    build: { write: false, rollupOptions: { input: 'page', output: { entryFileNames: 'page.js' } } }
  }) as Rolldown.RolldownOutput
  return new Map(output.map(file => [`/${file.fileName}`, file.type === 'chunk' ? file.code : String(file.source)]))
}

/**
 * Serves a page with the client under a strict Content Security Policy. `servers` are the addresses of Parley, `files` is
 * what a bundler has made.
 * @returns its address, and the violations that browsers have reported.
 */
export async function startSite (scope: Scope, servers: string[], files: Map<string, string>) {
  const violations: string[] = []
  const site = createServer((request, response) => {
    const path = request.url ?? '/'
    response.setHeader('content-security-policy', policy([...servers, ...servers.map(url => url.replace('http', 'ws'))]))
    if (path === '/violation') {
      request.on('data', data => { violations.push(String(data)) })
      request.on('end', () => response.writeHead(204).end())
    } else if (path === '/') {
      response.setHeader('content-type', 'text/html').end('<!doctype html><script type="module" src="/page.js"></script>')
    } else if (files.has(path)) {
      response.setHeader('content-type', 'text/javascript').end(files.get(path))
    } else {
      response.writeHead(404).end()
    }
  }).listen(0, '127.0.0.1')
  await once(site, 'listening')
  scope.teardown(() => {
    site.closeAllConnections()
    site.close()
  })
  return { url: `http://127.0.0.1:${(site.address() as AddressInfo).port}`, violations }
}
