import type { Routes } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useEffect, useMemo } from 'preact/hooks'
import { parley } from '../client.ts'
import { createPages } from '../people/pages.ts'
import { PagedList } from '../people/paged-list.tsx'
import { day } from '../people/times.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { classes } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { MenuButton } from '../ui/menu.tsx'
import { a } from './text.ts'
import { actsOn } from './user-acts.tsx'

const PAGE = 50
/** Milliseconds without a key after which people are looked for. */
const PAUSE = 250

export type Account = Routes['GET /api/admin/users']['answer']['users'][number]

/** All accounts, or those whose name or address has a text, with what administrators may do about them. */
export function Users () {
  const typed = useSignal('')
  const wanted = useSignal('')
  useEffect(() => {
    const timer = setTimeout(() => { wanted.value = typed.value.trim() }, PAUSE)
    return () => clearTimeout(timer)
  }, [typed.value])
  // One list for all searches: its rows stay until those of the next search are there, and a row that is in both keeps its open menu.
  const pages = useMemo(() => createPages<Account>(async cursor => {
    const text = wanted.peek()
    const query = { limit: PAGE, ...text !== '' && { query: text }, ...cursor !== undefined && { cursor } }
    const { users, next_cursor: next } = await parley.rest('GET /api/admin/users', { query })
    return { items: users, next }
  }), [])
  useEffect(() => { pages.refresh() }, [wanted.value])
  return (
    <>
      <div class='admin-filters'>
        <Field
          label={a.users.search} type='search' value={typed.value} autocomplete='off' spellcheck={false} maxLength={200}
          onInput={event => { typed.value = event.currentTarget.value }}
        />
      </div>
      <PagedList pages={pages} empty={a.users.none(wanted.value)}>
        {users => (
          <ul class='admin-rows'>{users.map(user => <Row key={user.id} user={user} onChanged={() => pages.refresh()} />)}</ul>
        )}
      </PagedList>
    </>
  )
}

function Row ({ user, onChanged }: { user: Account, onChanged (): Promise<void> }) {
  const { id, name, handle, email, email_verified: isVerified, role, created_at: since, disabled_at: disabledAt } = user
  return (
    <li class={classes(disabledAt && 'away')}>
      <Avatar id={id} name={name} />
      <div>
        <p class='name'>
          <b dir='auto'>{name}</b>
          {handle && <span class='soft small'>@{handle}</span>}
          {id === parley.account.getSnapshot()?.user_id && <span class='soft small'>{t.common.you}</span>}
          {role !== 'user' && <span class='tag'>{a.users.roles[role]}</span>}
          {disabledAt && <span class='tag danger'>{a.users.disabledSince(day(disabledAt))}</span>}
        </p>
        <p class='soft small'>
          {email ?? a.users.noEmail}{email && !isVerified && ` (${a.users.unverified})`} · {a.users.since(day(since))}
        </p>
      </div>
      <MenuButton icon='more' label={a.users.acts(name)} items={actsOn(user, onChanged)} />
    </li>
  )
}
