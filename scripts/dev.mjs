// `npm run dev`: builds and serves, and does both again after each edit in src/, client/src or web/src.
import { fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { watch } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { build, root } from './setup.mjs'

const dist = join(root, 'dist/src')
/** Milliseconds to wait after an edit, because editors write a file in several steps. */
const SETTLED_AFTER = 50

if (process.send) await serveWhenTold()
else await serveAndWatch()

/** Runs in a child process. It loads its modules while the previous server still closes, and serves when the parent tells it to. */
async function serveWhenTold () {
  process.setSourceMapsEnabled(true)
  const told = once(process, 'message')
  await import(join(dist, 'app.js'))
  await told
  process.disconnect()
  await import(join(dist, 'server.js'))
}

async function serveAndWatch () {
  if (!await build()) process.exit(1)
  let server = launch()
  server.send('serve')
  process.on('exit', () => server.kill())
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit())
  // An edit during a restart is kept for the next round.
  let isEdited = false
  const edits = new EventEmitter()
  for (const folder of ['src', 'client/src', 'web/src']) {
    watch(join(root, folder), { recursive: true }, () => {
      isEdited = true
      edits.emit('change')
    })
  }
  for (;;) {
    if (!isEdited) await once(edits, 'change')
    await sleep(SETTLED_AFTER)
    isEdited = false
    if (!await build()) continue
    const next = launch()
    if (server.kill()) await once(server, 'exit')
    server = next
    // A server whose modules cannot be loaded has printed why and is gone.
    if (server.connected) server.send('serve')
  }
}

function launch () {
  return fork(fileURLToPath(import.meta.url))
}
