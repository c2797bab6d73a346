import type { Person } from '@parley/client'
import { parley } from '../client.ts'
import { t } from '../text.ts'

/** Says who is typing. It is always there, so that nothing moves. */
export function TypingLine ({ typing }: { typing: readonly Person[] }) {
  const me = parley.account.getSnapshot()?.user_id
  const names = typing.filter(({ user_id: id }) => id !== me).map(({ username }) => username)
  return <p class='typing small soft cut' dir='auto'>{names.length > 0 && t.channel.typing(names)}</p>
}
