import { signal } from '@preact/signals'
import { parley } from '../client.ts'

const PAGE = 100

/** The ids of the people whom this user blocks; undefined until they are read. */
export const blocks = signal<ReadonlySet<string> | undefined>(undefined)

let reader: string | undefined

/** Reads whom this user blocks, once for each login. @throws ParleyError */
export async function readBlocks (): Promise<void> {
  const me = parley.account.getSnapshot()?.user_id
  if (me === undefined || me === reader) return
  blocks.value = undefined
  const found = new Set<string>()
  let cursor: string | null = null
  do {
    const query: { limit: number, cursor?: string } = { limit: PAGE, ...cursor !== null && { cursor } }
    const page: { blocks: Array<{ user_id: string }>, next_cursor: string | null } = await parley.rest('GET /api/me/blocks', { query })
    for (const { user_id: id } of page.blocks) found.add(id)
    cursor = page.next_cursor
  } while (cursor !== null)
  reader = me
  blocks.value = found
}

/** Blocks a person, or takes it back. @throws ParleyError */
export async function block (userId: string, on: boolean): Promise<void> {
  await parley.request(on ? 'block_user' : 'unblock_user', { user_id: userId })
  const next = new Set(blocks.value)
  if (on) next.add(userId)
  else next.delete(userId)
  blocks.value = next
}
