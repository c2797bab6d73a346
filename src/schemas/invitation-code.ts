import { Type, type Static } from '@sinclair/typebox'
import { ChannelName, InvitationCodeId, NextCursor, Timestamp, Uuid } from './common.ts'

const YEAR = 31_536_000
export const DEFAULT_USES = 1
/** Seconds. */
export const DEFAULT_EXPIRY = 604_800

export const InvitationCodeCreation = Type.Object({
  uses: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000, default: DEFAULT_USES })),
  expires_in: Type.Optional(Type.Integer({ minimum: 1, maximum: YEAR, default: DEFAULT_EXPIRY, description: 'seconds' })),
  channels: Type.Optional(Type.Array(ChannelName, { maxItems: 20 }))
}, { additionalProperties: false })
export type InvitationCodeCreation = Static<typeof InvitationCodeCreation>

/** An invitation code as admins see it. Only the answer to its creation has the code itself [P64]. */
export const InvitationCode = Type.Object({
  id: Uuid,
  uses: Type.Integer(),
  uses_left: Type.Integer(),
  expires_at: Timestamp,
  channels: Type.Array(Type.String()),
  created_by: Uuid,
  created_at: Timestamp
})
export type InvitationCode = Static<typeof InvitationCode>
export const NewInvitationCode = Type.Object({ ...InvitationCode.properties, code: Type.String() })
export type NewInvitationCode = Static<typeof NewInvitationCode>
export const InvitationCodePage = Type.Object({ invitation_codes: Type.Array(InvitationCode), next_cursor: NextCursor })
export const InvitationCodeParams = Type.Object({ id: InvitationCodeId })
