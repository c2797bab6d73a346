import { ParleyError } from '@parley/client'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { go } from '../route.ts'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { PasswordField } from '../ui/password-field.tsx'
import { arrive } from './arrival.ts'
import type { Credentials } from './unverified.tsx'

export interface EntryFormProps {
  /** The account is there, but its address has to be confirmed first. */
  onUnverified (credentials: Credentials): void
}

export function LoginForm ({ onUnverified }: EntryFormProps) {
  return (
    <>
      <Form action={t.common.logIn} send={fields => enter(parley.account.login(fields as unknown as Credentials), fields, onUnverified)}>
        {errorOf => (
          <>
            <Field label={t.entry.email} name='email' type='email' autocomplete='username' required error={errorOf('email')} />
            <PasswordField label={t.entry.password} name='password' error={errorOf('password')} />
          </>
        )}
      </Form>
      <div class='links'>
        <p><Link to={{ view: 'forgot' }}>{t.entry.forgot}</Link></p>
        {facts.registration !== 'closed' && <p>{t.entry.newHere} <Link to={{ view: 'register' }}>{t.common.register}</Link></p>}
        {facts.guests && <p><Button kind='link' onClick={enterAsGuest}>{t.entry.asGuest}</Button></p>}
      </div>
    </>
  )
}

/** Waits for a login and shows what was asked for. Hands on the credentials if the address has to be confirmed first. */
export async function enter (login: Promise<unknown>, fields: Record<string, string>, onUnverified: (credentials: Credentials) => void) {
  try {
    await login
    arrive()
  } catch (error) {
    if (!(error instanceof ParleyError) || error.code !== 'email_not_verified') throw error
    onUnverified({ email: fields.email!, password: fields.password! })
  }
}

function enterAsGuest (): void {
  parley.connect()
  go({ view: 'home' })
}
