import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { facts } from '../facts.ts'
import { route } from '../route.ts'
import { t } from '../text.ts'
import { Icon } from '../ui/icon.tsx'
import { hasMoved } from './arrival.ts'
import { ForgotForm } from './forgot-form.tsx'
import { leaving } from './leaving.ts'
import { LoginForm } from './login-form.tsx'
import { RegisterForm } from './register-form.tsx'
import { ResetForm } from './reset-form.tsx'
import { Unverified, type Credentials } from './unverified.tsx'
import { VerifyView } from './verify-view.tsx'

/** The views for people who are not logged in, or who have followed a link from a mail. */
export function Entry () {
  const shown = route.value
  /** Somebody who may log in once their address is confirmed. */
  const unverified = useSignal<Credentials | null>(null)
  const onUnverified = (credentials: Credentials): void => { unverified.value = credentials }
  if (unverified.value && (shown.view === 'login' || shown.view === 'register')) {
    return <Page title={t.entry.verify}><Unverified {...unverified.value} onBack={() => { unverified.value = null }} /></Page>
  }
  switch (shown.view) {
    case 'register': return <Page title={t.common.register}><RegisterForm onUnverified={onUnverified} /></Page>
    case 'forgot': return <Page title={t.entry.forgotTitle}><ForgotForm /></Page>
    case 'reset': return <Page title={t.entry.resetTitle}><ResetForm code={shown.code} /></Page>
    case 'verify': return <Page title={t.entry.verify}><VerifyView key={shown.code} code={shown.code} /></Page>
    default: return <Page title={t.entry.welcome}><Reason /><LoginForm onUnverified={onUnverified} /></Page>
  }
}

function Page ({ title, children }: { title: string, children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    // The control that led here is gone, and the focus with it.
    if (hasMoved() || leaving.value) heading.current?.focus()
  }, [title])
  return (
    <main class='entry'>
      <header>
        <img src={`${globalThis.PARLEY_ASSETS}/icon.svg`} alt='' width='40' height='40' />
        <h1 ref={heading} tabIndex={-1}>{title}</h1>
      </header>
      {children}
    </main>
  )
}

/** Says why the login has ended that was there before. */
function Reason () {
  if (!leaving.value || !facts.accounts) return null
  return <p class='reason' role='status'><Icon name={leaving.value === 'disabled' ? 'block' : 'leave'} />{t.entry.ended[leaving.value]}</p>
}
