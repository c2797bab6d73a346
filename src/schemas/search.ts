import { Type, type Static } from '@sinclair/typebox'
import { NextCursor, PageQuery, Text } from './common.ts'
import { Message } from './message.ts'

/** Code points that a search may have at most. */
export const MAX_QUERY = 200

/** [P70] The service checks the length in code points. */
export const SearchQuery = Type.Composite([PageQuery, Type.Object({
  query: Text({ pattern: '\\S', maxLength: 2 * MAX_QUERY, examples: ['coffee -tea "good morning"'] }),
  channel: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9_-]{0,63}$', whenInvalid: 'invalid_channel_name' }))
})], { additionalProperties: false })
export type SearchQuery = Static<typeof SearchQuery>

export const SearchPage = Type.Object({ messages: Type.Array(Message), next_cursor: NextCursor })
