import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

/** Ends the connection of every upgrade that is answered over HTTP. */
export default fp(async app => {
  app.addHook('onResponse', async request => endUpgrade(request))
}, { name: 'upgrade' })

/**
 * To be called when the answer is out. Node hands the socket of an upgrade over and minds it no more: it would stay for as
 * long as its client likes, and hold up the server's close.
 */
export function endUpgrade (request: FastifyRequest): void {
  if (isUpgrade(request)) request.raw.socket.destroySoon()
}

/** Node's parser sets the flag; its types do not know. */
export function isUpgrade ({ raw }: FastifyRequest): boolean {
  return (raw as IncomingMessage & { upgrade?: boolean }).upgrade === true
}
