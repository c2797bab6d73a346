import { AppError } from '../errors.ts'
import type { Block } from '../schemas/block.ts'
import type { PageQuery } from '../schemas/common.ts'
import type { BlockStore } from '../store/blocks.ts'
import type { Actor } from '../store/users.ts'
import type { Events } from './events.ts'
import { readPage, type PageOrder } from './paging.ts'

/** Seconds for which a block binds signals on other instances: without end, as it is the most that the bus takes. */
const ENDLESS = 1_000_000_000

export type Blocks = ReturnType<typeof createBlocks>

/** Lets users block others [P48]. `maxBlocks`: how many users one user may block; 0 means no limit. */
export function createBlocks ({ store, events, maxBlocks }: { store: BlockStore, events: Events, maxBlocks: number }) {
  return {
    /**
     * Makes the acting user block another one, or ends that; again, it has no effect. In their direct channel, a block binds signals as a
     * mute does.
     * @throws AppError `user_not_found`, `too_many_blocks`, `not_authorized` for guests and for oneself.
     */
    async set (actor: Actor, targetId: string, isBlocked: boolean): Promise<void> {
      const outcome = await store.set(actor, targetId, isBlocked, maxBlocks)
      if (outcome.code !== null) throw new AppError(outcome.code)
      const { direct } = outcome
      if (direct) events.muteChanged(direct.channelId, targetId, isBlocked ? ENDLESS : 0, direct.aclVersion)
    },

    /** A page of the users whom the user blocks, ordered by id. */
    async list (userId: string, query: PageQuery) {
      const { items: blocks, ...rest } = await readPage(query, byUser, (after, most) => store.list(userId, after, most))
      return { blocks, ...rest }
    }
  }
}

const byUser: PageOrder<Block> = { shape: 'uuid', key: row => row.user_id }
