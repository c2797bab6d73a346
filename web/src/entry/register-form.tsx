import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { t } from '../text.ts'
import { Link } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { PasswordField } from '../ui/password-field.tsx'
import { enter, type EntryFormProps } from './login-form.tsx'

/** The field of each error of a registration. */
const AT = { email_taken: 'email', invalid_invitation_code: 'invitation_code' } as const

export function RegisterForm ({ onUnverified }: EntryFormProps) {
  const haveAccount = <p class='links'>{t.entry.haveAccount} <Link to={{ view: 'login' }}>{t.common.logIn}</Link></p>
  if (facts.registration === 'closed') return <><p>{t.entry.closed}</p>{haveAccount}</>
  // An invitation may be a link that has the code.
  const code = new URLSearchParams(location.hash.slice(1)).get('code') ?? ''
  const isCodeShown = facts.registration === 'invite' || code !== ''
  return (
    <>
      <Form
        at={AT} action={t.common.register}
        send={fields => enter(parley.account.register(fields as unknown as Registration), fields, onUnverified)}
      >
        {errorOf => (
          <>
            {isCodeShown && (
              <Field
                label={t.entry.invitation} name='invitation_code' required maxLength={64} spellcheck={false} defaultValue={code}
                hint={t.entry.invitationHint} error={errorOf('invitation_code')}
              />
            )}
            <Field
              label={t.entry.name} name='name' autocomplete='nickname' required maxLength={64} pattern='.*\S.*' dir='auto'
              hint={t.entry.nameHint} error={errorOf('name')}
            />
            <Field label={t.entry.email} name='email' type='email' autocomplete='username' required error={errorOf('email')} />
            <PasswordField label={t.entry.password} name='password' isNew error={errorOf('password')} />
          </>
        )}
      </Form>
      {haveAccount}
    </>
  )
}

type Registration = Parameters<typeof parley.account.register>[0]
