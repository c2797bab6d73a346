import type { Routes } from '@parley/client'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { parley } from '../client.ts'
import { createPages } from '../people/pages.ts'
import { PagedList } from '../people/paged-list.tsx'
import { duration, exactly, moment } from '../people/times.ts'
import { Button } from '../ui/button.tsx'
import { confirm } from '../ui/confirm.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { Icon } from '../ui/icon.tsx'
import { Select } from '../ui/select.tsx'
import { toast } from '../ui/toast.tsx'
import { openCode } from './code-dialog.tsx'
import { focusTitle } from './focus.ts'
import { count } from './format.ts'
import { a } from './text.ts'

const PAGE = 50
const MOST_USES = 10_000
const DAY = 86_400
const LIFETIMES = [DAY, 7 * DAY, 30 * DAY, 365 * DAY]

type Code = Routes['GET /api/admin/invitation-codes']['answer']['invitation_codes'][number]

/** The codes with which people may register. */
export function Codes () {
  const pages = useMemo(() => createPages<Code>(async cursor => {
    const query = { limit: PAGE, ...cursor !== undefined && { cursor } }
    const { invitation_codes: items, next_cursor: next } = await parley.rest('GET /api/admin/invitation-codes', { query })
    return { items, next }
  }), [])
  useEffect(() => { pages.refresh() }, [])
  return (
    <>
      <NewCode onMade={() => { pages.refresh() }} />
      <section class='admin-section'>
        <h2>{a.codes.list}</h2>
        <PagedList pages={pages} empty={a.codes.none}>
          {codes => <ul class='admin-rows'>{codes.map(code => <Row key={code.id} code={code} onRevoked={() => pages.refresh()} />)}</ul>}
        </PagedList>
      </section>
    </>
  )
}

function NewCode ({ onMade }: { onMade (): void }) {
  const lifetime = useRef(String(7 * DAY))
  return (
    <section class='admin-section code-form'>
      <h2>{a.codes.make}</h2>
      <Form
        action={a.codes.makeIt} clears
        send={async ({ uses, channels, expires_in: seconds }) => {
          const names = channels!.split(/[\s,]+/).map(name => name.replace(/^#/, '')).filter(Boolean)
          const body = { uses: Number(uses), expires_in: Number(seconds), ...names.length > 0 && { channels: names } }
          const { code, expires_at: end } = await parley.rest('POST /api/admin/invitation-codes', { body })
          openCode({ title: a.codes.made, about: a.codes.aboutMade, code, end })
          onMade()
        }}
        at={{ channel_not_found: 'channels' }}
      >
        {errorOf => (
          <>
            <Field
              label={a.codes.uses} name='uses' type='number' min={1} max={MOST_USES} defaultValue='1' required error={errorOf('uses')}
            />
            <Select
              label={a.codes.lifetime} name='expires_in' value={lifetime.current} onChange={value => { lifetime.current = value }}
              options={LIFETIMES.map(seconds => [String(seconds), duration(seconds)])}
            />
            <Field
              label={a.codes.channels} name='channels' hint={a.codes.channelsHint} autocomplete='off' spellcheck={false}
              error={errorOf('channels')}
            />
          </>
        )}
      </Form>
    </section>
  )
}

function Row ({ code, onRevoked }: { code: Code, onRevoked (): Promise<void> }) {
  const { id, uses, uses_left: left, expires_at: end, created_at: at, channels } = code
  const isOver = Date.parse(end) <= Date.now()
  const revoke = (): void => confirm({
    title: a.codes.revokeTitle, text: a.codes.aboutRevoke(count(left)), act: a.codes.revoke, isDanger: true,
    async onConfirm () {
      await parley.rest('DELETE /api/admin/invitation-codes/:id', { params: { id } })
      toast(a.codes.revoked)
      focusTitle()
      await onRevoked()
    }
  })
  return (
    <li>
      <Icon name='key' />
      <div>
        <p class='name'>
          <b>{a.codes.left(count(left), count(uses))}</b>
          {isOver && <span class='tag'>{a.codes.over}</span>}
          {channels.map(name => <span key={name} class='tag'>#{name}</span>)}
        </p>
        <p class='soft small'>
          <time dateTime={at} title={exactly(at)}>{a.codes.madeAt(moment(at))}</time>{' · '}
          <time dateTime={end} title={exactly(end)}>{a.codes.until(moment(end))}</time>
        </p>
      </div>
      <Button kind='quiet' aria-label={a.codes.revokeOf(moment(at))} onClick={revoke}>{a.codes.revoke}</Button>
    </li>
  )
}
