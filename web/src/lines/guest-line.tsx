import { useReadable } from '@parley/client/react'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { t } from '../text.ts'
import { Link } from '../ui/button.tsx'
import { Line } from './line.tsx'

/** Tells guests that they are guests, and how they get an account. */
export function GuestLine () {
  if (useReadable(parley.account) !== null || !facts.accounts) return null
  return (
    <aside aria-label={t.connection.guest}>
      <Line kind='info'>
        {t.connection.guest}{' · '}<Link to={{ view: 'login' }}>{t.entry.logIn}</Link>
        {facts.registration !== 'closed' && <>{' · '}<Link to={{ view: 'register' }}>{t.entry.register}</Link></>}
      </Line>
    </aside>
  )
}
