import { gzipSync } from 'node:zlib'
import { join } from 'node:path'
import { createParley } from '@parley/client'
import { ParleyProvider, useChannel, useInbox, useParley } from '@parley/client/react'
import { build } from 'esbuild'
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { root } from '../../scripts/root.ts'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { openEmptyPage, run } from './chromium.ts'
import { createClient, settled } from './clients.ts'

/** A page with two components that show the same channel, in StrictMode, and buttons that take both away and bring them back. */
const APPLICATION = `
import { StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createParley } from '@parley/client'
import { ParleyProvider, useChannel, useInbox, useParley, useReadable } from '@parley/client/react'

function Room ({ id }) {
  const { channel, state, messages, unread } = useChannel('room', { presence: 'count' })
  const { count } = useReadable(channel.presence)
  return <section id={id}>
    <p className="state">{state} {count}</p>
    <p className="messages">{messages.map(({ message }) => message).join(' ')}</p>
    <p className="unread">{unread}</p>
    <button onClick={() => channel.markRead()}>read</button>
  </section>
}

function App () {
  const parley = useParley()
  const { state } = useReadable(parley)
  const { channels, directs } = useInbox()
  const [isShown, show] = useState(true)
  return <>
    <p id="connection">{state}</p>
    <p id="inbox">{[...channels, ...directs].map(({ name, unread_count: count }) => name + ':' + count).join(' ')}</p>
    <button id="toggle" onClick={() => show(!isShown)}>toggle</button>
    {isShown && <><Room id="first" /><Room id="second" /></>}
  </>
}

const parley = createParley({ token: () => TOKEN })
parley.connect()
const root = createRoot(document.getElementById('root'))
root.render(<StrictMode><ParleyProvider client={parley}><App /></ParleyProvider></StrictMode>)
`

t.test('[C10] in StrictMode, components that share a channel join it once, follow it and leave nothing', async t => {
  const server = await startServer(t)
  const [ann, bob] = [await server.register('ann'), await server.register('bob')]
  const other = createClient(t, server.origin, bob)
  const room = other.channel('room')
  room.open()
  other.connect()
  await settled(room)
  const page = await openEmptyPage(t, server.origin)
  const errors: unknown[] = []
  page.on('pageerror', error => errors.push(error))
  const frames: string[] = []
  page.on('websocket', socket => socket.on('framesent', ({ payload }) => frames.push(JSON.parse(String(payload)).type)))
  await run(page, APPLICATION.replace('TOKEN', JSON.stringify(ann.access_token)))
  const shows = async (selector: string, text: string) => eventually(async () => await page.textContent(selector) === text)
  const sent = (type: string): number => frames.filter(frame => frame === type).length

  await shows('#connection', 'online')
  for (const id of ['first', 'second']) await shows(`#${id} .state`, 'live 2')
  await shows('#inbox', 'room:0')
  await room.send('hello')
  await room.send('world')
  for (const id of ['first', 'second']) await shows(`#${id} .messages`, 'hello world')
  await shows('#inbox', 'room:2')
  await page.click('#second button')
  for (const id of ['first', 'second']) await shows(`#${id} .unread`, '0')
  await shows('#inbox', 'room:0')
  t.same([sent('join_channel'), sent('unsubscribe_channel'), sent('user_list')], [1, 0, 1])
  t.ok(sent('channel_list') >= 1 && sent('channel_list') <= 2, 'read once, and once more when the channel was joined')

  await page.click('#toggle')
  await eventually(() => sent('unsubscribe_channel') === 1)
  await room.send('again')
  await shows('#inbox', 'room:1')
  await page.click('#toggle')
  for (const id of ['first', 'second']) await shows(`#${id} .messages`, 'hello world again')
  t.equal(sent('join_channel'), 2)
  t.same(errors, [])
})

t.test('a server renders the components as they are before there is a connection; without a provider they say so', async t => {
  const parley = createParley({ url: 'http://parley.test' })
  function Room () {
    const { channel, state, messages } = useChannel('room')
    return createElement('p', null, `${channel.name} ${state} ${messages.length} ${useInbox().state} ${useParley() === parley}`)
  }
  t.equal(renderToString(createElement(ParleyProvider, { client: parley }, createElement(Room))), '<p>room idle 0 idle true</p>')
  t.throws(() => renderToString(createElement(Room)), { message: 'no ParleyProvider' })
})

t.test('the React binding is at most 0.5 KiB, minified and compressed, and brings neither React nor the client with it', async t => {
  const { outputFiles, metafile } = await build({
    entryPoints: [join(root, 'client/dist/react.js')],
    bundle: true, minify: true, format: 'esm', target: 'es2022', external: ['react'], write: false, metafile: true
  })
  const size = gzipSync(outputFiles[0]!.contents, { level: 9 }).length
  t.same(Object.keys(metafile.inputs), ['client/dist/react.js'])
  t.ok(size <= 512, `${size} bytes`)
})
