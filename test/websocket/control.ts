import type { Server } from '../helper.ts'
import type { Test } from '../tap.ts'

const COUNT = 20

/**
 * Opens two connections that exchange messages.
 * @returns a check that they still do, for tests that misuse other connections of the same server [G8].
 */
export async function createControl (server: Server) {
  const sender = await server.enter('sender', 'control')
  const reader = await server.enter('reader', 'control')
  let sent = 0

  return async (t: Test, what: string): Promise<void> => {
    const texts = Array.from({ length: COUNT }, () => `control ${++sent}`)
    for (const message of texts) sender.send({ type: 'send_message', channel: 'control', message })
    const received: string[] = []
    while (received.length < COUNT) received.push((await reader.expect('message')).message)
    t.same(received, texts, `${what}: another pair of connections gets ${COUNT} of ${COUNT} messages`)
    await sender.expect(({ message }) => message === texts.at(-1))
    sender.inbox.length = reader.inbox.length = 0
  }
}
