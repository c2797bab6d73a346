import { execFile } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { build as bundle } from 'esbuild'
import ts from 'typescript'
import { build as buildPage } from 'vite'
import { root } from '../../scripts/root.ts'
import { createHost, problemsOf } from '../compiler.ts'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { NODES, nodeOf, npm, pack } from './npm.ts'

/** An application that sends a message and prints its number. Node 20 has no WebSocket of its own. */
const APPLICATION = `
import { createParley } from '@parley/client'
import { manualClock } from '@parley/client/testing'

const [url, token, ws] = process.argv.slice(2)
const WebSocket = globalThis.WebSocket ?? (await import(/* @vite-ignore */ ws)).default
const parley = createParley({ url, token: () => token, WebSocket })
const channel = parley.channel('general')
channel.open()
parley.connect()
const { seq } = await channel.send('from Node ' + process.versions.node)
await parley.disconnect()
console.log(seq, manualClock().pending)
`
const TYPED = `
import { createParley, type Channel } from '@parley/client'
export const channel: Channel = createParley({ url: 'https://example.org', token: () => null }).channel('general')
// @ts-expect-error: a channel has a name.
createParley().channel(5)
`

const project = join(t.testdir({}), 'project')
mkdirSync(project, { recursive: true })
writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
writeFileSync(join(project, 'application.js'), APPLICATION)
writeFileSync(join(project, 'typed.ts'), TYPED)
npm(project, 'install', pack(join(project, '..'), 'client'))

const server = await startServer(t)
const { access_token: token } = await server.register('ann')
let sent = 0

/** Runs the application, or a bundle of it, and checks that its message was stored. */
async function runs (file: string, node = process.execPath): Promise<string> {
  const ws = pathToFileURL(join(root, 'node_modules/ws/wrapper.mjs')).href
  const { stdout } = await promisify(execFile)(node, [file, server.origin, token, ws], { cwd: project, env: {}, timeout: 60_000 })
  if (stdout !== `${++sent} 0\n`) throw new Error(`${file} printed ${stdout}`)
  const { data } = await server.rest({ access_token: token })
    .GET('/api/channels/{name}/messages', { params: { path: { name: 'general' }, query: { limit: 1 } } })
  return data!.messages[0]!.message!
}

t.test('[C14] the packed client installs without any other package', async t => {
  t.same(readdirSync(join(project, 'node_modules')).filter(name => !name.startsWith('.')), ['@parley'])
})

for (const version of NODES) {
  const major = version.split('.')[0]!
  t.test(`[C14] the packed client works on Node ${major}`, async t => {
    t.match(await runs('application.js', nodeOf(version)), new RegExp(`^from Node ${major}\\.`))
  })
}

t.test('[C14] esbuild and Vite bundle the packed client, and the bundles work', async t => {
  const entry = join(project, 'application.js')
  await bundle({
    entryPoints: [entry], outfile: join(project, 'esbuild.js'), bundle: true, minify: true, platform: 'neutral', logLevel: 'error'
  })
  await buildPage({
    root: project, configFile: false, logLevel: 'error', build: { lib: { entry, formats: ['es'], fileName: 'vite' }, outDir: 'bundled' }
  })
  t.match(await runs('esbuild.js'), /^from Node/)
  t.match(await runs('bundled/vite.js'), /^from Node/)
})

for (const [resolution, module] of [['NodeNext', ts.ModuleKind.NodeNext], ['Bundler', ts.ModuleKind.ESNext]] as const) {
  t.test(`[C13] the types of the packed client work with the resolution ${resolution}`, async t => {
    const options: ts.CompilerOptions = {
      // The declarations of the packed client are checked. Those of the compiler itself would take two CPU seconds each time.
      strict: true, exactOptionalPropertyTypes: true, skipDefaultLibCheck: true,
      noEmit: true, types: [], lib: ['lib.es2023.d.ts', 'lib.dom.d.ts', 'lib.esnext.disposable.d.ts'],
      module, moduleResolution: ts.ModuleResolutionKind[resolution]
    }
    const program = ts.createProgram([join(project, 'typed.ts')], options, createHost(options))
    t.same(problemsOf(ts.getPreEmitDiagnostics(program)), [])
  })
}
