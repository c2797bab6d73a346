import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket from 'ws'
import { chromiumOptions } from '../../scripts/chromium.ts'
import { end, freePort, launch, untilListens } from '../../scripts/service.ts'
import { historyOf } from '../client/clients.ts'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { startServer, type Scope } from '../helper.ts'
import { t } from '../tap.ts'
import { bundle, startSite } from './site.ts'

/** Milliseconds within which tabs have to show everything. A busy machine may need most of them. */
const PATIENCE = 30_000

interface Answer { id: number, result: { targetId: string, sessionId: string, result: { value: unknown } } }

/** A Chromium without Playwright, which makes all tabs pass for visible: only hidden tabs can be frozen. */
async function startChromium (scope: Scope) {
  const [port, folder] = [await freePort(), mkdtempSync(join(tmpdir(), 'parley-chromium-'))]
  const { executablePath, args: shared } = chromiumOptions()
  const args = [...shared, '--headless=new', `--remote-debugging-port=${port}`, `--user-data-dir=${folder}`]
  const service = launch('Chromium', executablePath, args, folder, 'SIGTERM')
  await untilListens(service, port)
  const { webSocketDebuggerUrl: url } = await (await fetch(`http://127.0.0.1:${port}/json/version`)).json() as { webSocketDebuggerUrl: string }
  const socket = new WebSocket(url)
  await once(socket, 'open')
  const waiting = new Map<number, (result: Answer['result']) => void>()
  socket.on('message', data => {
    const { id, result } = JSON.parse(String(data)) as Answer
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  let ids = 0
  const send = (method: string, params: object, sessionId?: string): Promise<Answer['result']> => new Promise(resolve => {
    waiting.set(++ids, resolve)
    socket.send(JSON.stringify({ id: ids, method, params, sessionId }))
  })

  scope.teardown(async () => {
    // Asked like this, it ends its child processes first, which write to the folder.
    const exited = once(service.child, 'exit')
    socket.send(JSON.stringify({ id: ++ids, method: 'Browser.close' }))
    await exited
    socket.terminate()
    await end(service)
  })

  /** Opens a tab in front of the others. */
  return async function openTab (url: string) {
    const { targetId } = await send('Target.createTarget', { url })
    const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
    return {
      evaluate: async (expression: string) =>
        (await send('Runtime.evaluate', { expression, returnByValue: true }, sessionId)).result?.value,
      show: () => send('Target.activateTarget', { targetId }),
      setState: (state: 'frozen' | 'active') => send('Page.setWebLifecycleState', { state }, sessionId)
    }
  }
}

t.test('[C6] [C9] a hidden tab that is frozen costs the others nothing, and shows everything when it is thawed', async t => {
  const server = await startServer(t, { config: { server: { allowed_origins: '*' } } })
  const line = await startLine(t, server.port)
  const site = await startSite(t, [line.url], await bundle())
  const openTab = await startChromium(t)
  const person = await server.register('ann')
  const open = async () => {
    const tab = await openTab(site.url)
    await eventually(() => tab.evaluate('typeof createParley === "function"'), PATIENCE)
    await tab.evaluate(`parley = createParley({ url: '${line.url}', token: () => '${person.access_token}' })`)
    await tab.evaluate('room = parley.channel("room"); room.open(); parley.connect()')
    await eventually(async () => await tab.evaluate('room.getSnapshot().state') === 'live', PATIENCE)
    return tab
  }
  const [frozen, other] = [await open(), await open()]
  await other.show()
  await eventually(async () => await frozen.evaluate('document.visibilityState') === 'hidden')
  await frozen.setState('frozen')

  const texts = 'room.getSnapshot().messages.map(({ message }) => message).join()'
  await other.evaluate('for (let i = 0; i < 20; i++) room.send("message " + i); 0')
  await eventually(async () => await other.evaluate('room.getSnapshot().outbox.length') === 0, PATIENCE)
  const history = (await historyOf(server, person, 'room')).map(({ message }) => message)
  t.equal(history.length, 20)
  t.equal(await other.evaluate(texts), history.join())
  t.equal(await frozen.evaluate(texts), '', 'the tab really stands still')
  await frozen.setState('active')
  await eventually(async () => await frozen.evaluate(texts) === history.join(), PATIENCE)
  t.equal(line.sockets, 1)
  t.same(site.violations, [])
})
