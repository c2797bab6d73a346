import { Type } from '@sinclair/typebox'
import { success } from '../connections/reply.ts'
import { BlockAnswer } from '../schemas/block.ts'
import { Timestamp, UserId } from '../schemas/common.ts'
import { DirectOpened, directFields } from '../schemas/direct.ts'
import { request } from './row.ts'

/** Requests about another user, outside of any channel that others see. */
export const requests = {
  open_direct: request({
    fields: directFields,
    who: 'registered user',
    about: 'Opens the direct channel of the user and another one [P47].',
    errors: ['user_not_found', 'blocked'],
    cost: 'command',
    reply: { action: 'direct_opened', data: DirectOpened },
    notices: {
      direct_opened: Type.Object({ ...DirectOpened.properties, timestamp: Timestamp }, {
        description: 'A direct channel is new to this user, or they are in it again [P47].'
      })
    },
    route: 'POST /api/directs',
    async answer ({ directs }, session, { user_id: peerId }) {
      const { channel } = await directs.open(session.actor, peerId, session.id)
      return success('direct_opened', { channel })
    }
  }),

  block_user: request({
    fields: { user_id: UserId },
    who: 'registered user',
    about: 'Says that the user does not want to hear from another one [P48].',
    errors: ['user_not_found', 'too_many_blocks'],
    cost: 'command',
    reply: { action: 'user_blocked', data: BlockAnswer },
    route: 'PUT /api/me/blocks/:user_id',
    async answer ({ blocks }, session, { user_id: userId }) {
      await blocks.set(session.actor, userId, true)
      return success('user_blocked', { user_id: userId })
    }
  }),

  unblock_user: request({
    fields: { user_id: UserId },
    who: 'registered user',
    about: 'Ends a block [P48].',
    errors: ['user_not_found'],
    cost: 'command',
    reply: { action: 'user_unblocked', data: BlockAnswer },
    route: 'DELETE /api/me/blocks/:user_id',
    async answer ({ blocks }, session, { user_id: userId }) {
      await blocks.set(session.actor, userId, false)
      return success('user_unblocked', { user_id: userId })
    }
  })
}
