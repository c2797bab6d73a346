import type { Routes } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useMemo } from 'preact/hooks'
import { parley } from '../client.ts'
import { createPages } from '../people/pages.ts'
import { PagedList } from '../people/paged-list.tsx'
import { usePoll } from '../people/poll.ts'
import { duration, exactly } from '../people/times.ts'
import { t } from '../text.ts'
import { Button, classes, Link } from '../ui/button.tsx'
import { confirm } from '../ui/confirm.tsx'
import { Field } from '../ui/field.tsx'
import { toast } from '../ui/toast.tsx'
import { bytes, count, shortId } from './format.ts'
import { focusTitle } from './focus.ts'
import { a } from './text.ts'

const PAGE = 50
/** Milliseconds. */
const INTERVAL = 4000

type Connection = Routes['GET /api/admin/connections']['answer']['connections'][number]

/** The connections of the instance that answers, or one person's, whose id is `subject`. */
export function Connections ({ subject }: { subject: string }) {
  const instance = useSignal('')
  const wanted = useSignal('')
  const pages = useMemo(() => createPages<Connection>(async cursor => {
    const query = { limit: PAGE, ...subject !== '' && { user_id: subject }, ...cursor !== undefined && { cursor } }
    const page = await parley.rest('GET /api/admin/connections', { query })
    instance.value = page.instance
    return { items: page.connections, next: page.next_cursor }
  }), [subject])
  usePoll(pages.refresh, subject, INTERVAL)
  const text = wanted.value.trim().toLowerCase()
  const fits = ({ username, handle }: Connection): boolean => `${username ?? ''} @${handle ?? ''}`.toLowerCase().includes(text)
  return (
    <>
      {subject === ''
        ? (
          <div class='admin-filters'>
            <Field
              label={a.connections.filter} type='search' value={wanted.value} autocomplete='off'
              onInput={event => { wanted.value = event.currentTarget.value }}
            />
          </div>
          )
        : <p>{a.connections.onlyOne} <Link to={{ view: 'admin', section: 'connections' }}>{a.connections.all}</Link></p>}
      <PagedList pages={pages} empty={a.connections.none}>
        {connections => <Table connections={connections.filter(fits)} onClosed={() => pages.refresh()} />}
      </PagedList>
      {instance.value && <p class='soft small'>{a.connections.ofInstance(shortId(instance.value))}</p>}
    </>
  )
}

function Table ({ connections, onClosed }: { connections: Connection[], onClosed (): Promise<void> }) {
  if (connections.length === 0) return <p class='nothing soft'>{a.connections.noneFound}</p>
  const { columns } = a.connections
  return (
    <table class='admin-table'>
      <thead>
        <tr>
          <th scope='col'>{columns.person}</th><th scope='col'>{columns.address}</th><th scope='col'>{columns.since}</th>
          <th scope='col' class='number'>{columns.channels}</th><th scope='col' class='number'>{columns.queued}</th>
          <th scope='col'><span class='unseen'>{columns.acts}</span></th>
        </tr>
      </thead>
      {connections.map(connection => <Row key={connection.id} connection={connection} onClosed={onClosed} />)}
    </table>
  )
}

/** A connection, and below it in a row of its own why it is not as it should be. */
function Row ({ connection, onClosed }: { connection: Connection, onClosed (): Promise<void> }) {
  const { id, user_id: userId, username, handle, address, since, channels, queued_bytes: queued, state } = connection
  const { columns, states } = a.connections
  const name = username ?? a.connections.nobody
  const close = (): void => confirm({
    title: a.connections.closeTitle(name), text: a.connections.aboutClose(name), act: a.connections.close, isDanger: true,
    async onConfirm () {
      await parley.rest('DELETE /api/admin/connections/:id', { params: { id } })
      toast(a.connections.closed(name))
      focusTitle()
      await onClosed()
    }
  })
  const isMe = userId === parley.account.getSnapshot()?.user_id
  return (
    <tbody>
      <tr>
        <th scope='row'>
          {userId
            ? <Link to={{ view: 'admin', section: `connections/${userId}` }} dir='auto'>{name}</Link>
            : <span class='soft'>{name}</span>}
          {' '}
          <span class='soft small'>
            {connection.is_guest ? a.connections.guest : handle && `@${handle}`}{isMe && ` (${t.common.you})`}
          </span>
        </th>
        <td data-label={columns.address}>{address ?? '–'}</td>
        <td data-label={columns.since} title={exactly(since)}>{duration((Date.now() - Date.parse(since)) / 1000)}</td>
        <td data-label={columns.channels} class='number'>{count(channels)}</td>
        <td data-label={columns.queued} class='number'>{bytes(queued)}</td>
        <td><Button kind='quiet' aria-label={a.connections.closeOf(name)} onClick={close}>{a.connections.closeShort}</Button></td>
      </tr>
      {state !== 'ok' && (
        <tr class={classes('why', state === 'not_authenticated' && 'calm')}>
          <td colSpan={6}>{states[state](waitOf(connection), count(connection.waiting_requests))}</td>
        </tr>
      )}
    </tbody>
  )
}

/** Says for how long the socket has taken nothing, or since when bytes wait. */
function waitOf ({ state, slow_since: slow, last_taken_at: taken }: Connection): string {
  const since = state === 'not_reading' ? taken : slow
  return duration(since === null ? 0 : (Date.now() - Date.parse(since)) / 1000)
}
