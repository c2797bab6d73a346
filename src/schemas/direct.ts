import { Type } from '@sinclair/typebox'
import { Channel } from './channel.ts'
import { UserId } from './common.ts'

/** The two requests for a direct channel have the same fields [P47]. */
export const directFields = { user_id: UserId }
export const DirectOpening = Type.Object(directFields, { additionalProperties: false })

/** Names of direct channels begin so, and no others do [P47]. */
const PREFIX = 'direct-'

export function isDirect (channelName: string): boolean {
  return channelName.startsWith(PREFIX)
}

/** The answer to the request, and the fields of the notice to the user's other connections and to the peer's. */
export const DirectOpened = Type.Object({ channel: Channel })
