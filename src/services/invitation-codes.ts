import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { AppError } from '../errors.ts'
import type { PageQuery } from '../schemas/common.ts'
import { DEFAULT_EXPIRY, DEFAULT_USES, type InvitationCodeCreation, type NewInvitationCode } from '../schemas/invitation-code.ts'
import type { InvitationCodeStore } from '../store/invitation-codes.ts'
import type { Actor } from '../store/users.ts'
import { readPage, type PageOrder } from './paging.ts'
import { hashOf } from './secret-hash.ts'

/** Random bytes of a code. */
const CODE_BYTES = 20

export type InvitationCodes = ReturnType<typeof createInvitationCodes>

/** Lets admins make, list and revoke codes that let people register [P64]. */
export function createInvitationCodes (store: InvitationCodeStore) {
  return {
    /** @throws AppError `not_authorized`, `channel_not_found`, `invalid_channel_type` for a channel that users may not join. */
    async create (actor: Actor, creation: InvitationCodeCreation): Promise<NewInvitationCode> {
      const { uses = DEFAULT_USES, expires_in: lifetime = DEFAULT_EXPIRY, channels = [] } = creation
      const value = randomBytes(CODE_BYTES).toString('base64url')
      const id = uuidv7()
      const refusal = await store.create(actor, { id, hash: hashOf(value), uses, lifetime, channels: [...new Set(channels)] })
      if (refusal) throw new AppError(refusal)
      const stored = await store.find(id)
      if (!stored) throw new AppError('invitation_code_not_found')
      return { ...stored, code: value }
    },

    /** A page of all codes, the newest first. */
    async list (query: PageQuery) {
      const { items, ...rest } = await readPage(query, byId, store.list)
      return { invitation_codes: items, ...rest }
    },

    /** Nobody can register with the code any more. @throws AppError `not_authorized`, `invitation_code_not_found`. */
    async revoke (actor: Actor, id: string): Promise<void> {
      const refusal = await store.revoke(actor, id)
      if (refusal) throw new AppError(refusal)
    }
  }
}

const byId: PageOrder<{ id: string }> = { shape: 'uuid', key: row => row.id }
