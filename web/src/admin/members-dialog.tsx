import type { Routes } from '@parley/client'
import { useEffect, useMemo } from 'preact/hooks'
import { parley } from '../client.ts'
import { createPages } from '../people/pages.ts'
import { PagedList } from '../people/paged-list.tsx'
import { Avatar } from '../ui/avatar.tsx'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { a } from './text.ts'

const PAGE = 50

type Member = Routes['GET /api/channels/:name/members']['answer']['members'][number]

/** Shows the members of a channel. */
export function openMembers (name: string): void {
  openDialog(close => <Members name={name} onClose={close} />)
}

function Members ({ name, onClose }: { name: string, onClose (): void }) {
  const pages = useMemo(() => createPages<Member>(async cursor => {
    const query = { limit: PAGE, ...cursor !== undefined && { cursor } }
    const { members, next_cursor: next } = await parley.rest('GET /api/channels/:name/members', { params: { name }, query })
    return { items: members, next }
  }), [name])
  useEffect(() => { pages.refresh() }, [pages])
  return (
    <Dialog title={a.channels.membersOf(name)} onClose={onClose}>
      <PagedList pages={pages} empty={a.channels.noMembers}>
        {members => (
          <ul class='admin-rows'>
            {members.map(({ user_id: id, username, handle }) => (
              <li key={id}>
                <Avatar id={id} name={username} size='small' />
                <p class='name'><span dir='auto'>{username}</span>{handle && <span class='soft small'>@{handle}</span>}</p>
              </li>
            ))}
          </ul>
        )}
      </PagedList>
    </Dialog>
  )
}
