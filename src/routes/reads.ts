import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { ChannelParams } from '../schemas/channel.ts'
import { answers } from '../schemas/common.ts'
import { ReadMark, ReadMarker } from '../schemas/read.ts'
import type { Reads } from '../services/reads.ts'

const routes: FastifyPluginAsyncTypebox<{ reads: Reads }> = async (app, { reads }) => {
  app.requireUser()

  app.put('/api/channels/:name/read', {
    schema: {
      tags: ['channels'],
      security: [{ bearer: [] }],
      operationId: 'mark_read',
      summary: 'Mark a channel as read up to a seq, as a member; the position never falls',
      params: ChannelParams,
      body: ReadMark,
      response: answers(200, ReadMarker)
    }
  }, async request => {
    const { name: channel } = request.params
    return { channel, seq: await reads.judgeAndMark(request.actor, channel, request.body.seq) }
  })
}

export default routes
