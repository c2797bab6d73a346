import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export type Cable = Awaited<ReturnType<typeof layCable>>

/** The cable between a browser and a server, which can be pulled out and plugged in again. It listens on a port of its own. */
export async function layCable (target: number) {
  const sockets = new Set<Socket>()
  let isOut = false
  const listener = createServer(near => {
    if (isOut) {
      near.destroy()
      return
    }
    const far = connect(target, '127.0.0.1')
    for (const [one, other] of [[near, far], [far, near]] as const) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => {}).on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const pull = (): void => {
    isOut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    pull,
    plugIn (): void { isOut = false },
    async [Symbol.asyncDispose] () {
      pull()
      listener.close()
      await once(listener, 'close')
    }
  }
}
