import { execFile } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { transform } from 'esbuild'
import { root } from '../../scripts/root.ts'
import { startServer } from '../helper.ts'
import { node } from '../node.ts'
import { t } from '../tap.ts'

const run = promisify(execFile)
const page = readFileSync(join(root, 'docs/client.md'), 'utf8')
/** The snippets build on each other, as the page does, so they are one module. */
const snippets = [...page.matchAll(/^```jsx?\n(.*?)^```$/gms)].map(([, code]) => code!)

t.test('the snippets of docs/client.md run, one after the other, and leave nothing that keeps Node running', async t => {
  const server = await startServer(t)
  const guest = await server.register('guest')
  await server.enter('bob', 'general')
  const code = `
    import { renderToStaticMarkup } from 'react-dom/server'
    const fetchToken = async () => '${guest.access_token}'
    ${snippets.join('\n').replaceAll('http://localhost:8080', server.origin)}
    console.log(renderToStaticMarkup(app))
    await parley.disconnect()`
  // Packages are found from here.
  const folder = join(root, 'dist/test/client-snippets')
  mkdirSync(folder, { recursive: true })
  t.teardown(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'page.mjs')
  writeFileSync(file, (await transform(code, { loader: 'jsx', jsx: 'automatic', format: 'esm', target: 'node20' })).code)
  const [command, ...args] = node('--experimental-websocket --no-warnings')
  const { stdout, stderr } = await run(command, [...args, file])
  t.equal(stderr, '')
  t.match(stdout, 'true invalid_channel_name', 'errors say what is wrong')
  t.match(stdout, '<p>Ann: Hello, all</p>', 'the message was sent, edited and shown')
  t.equal(snippets.length, page.match(/^```jsx?$/gm)!.length)
})
