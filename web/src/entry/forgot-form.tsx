import { ParleyError } from '@parley/client'
import { useSignal } from '@preact/signals'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Link } from '../ui/button.tsx'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'

/** Asks for a mail with which somebody chooses a new password. */
export function ForgotForm () {
  const sentTo = useSignal('')
  const hasNoMails = useSignal(false)

  async function ask ({ email = '' }: Record<string, string>): Promise<void> {
    try {
      await parley.rest('POST /api/auth/forgot', { body: { email } })
      sentTo.value = email
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code !== 'not_found') throw error
      hasNoMails.value = true
    }
  }

  return (
    <>
      <div role='status'>
        {hasNoMails.value && <p>{t.entry.noMails}</p>}
        {sentTo.value && <p>{t.entry.resetSent(sentTo.value)}</p>}
      </div>
      {!sentTo.value && !hasNoMails.value && (
        <>
          <p class='soft'>{t.entry.forgotAbout}</p>
          <Form action={t.entry.sendMail} send={ask}>
            {errorOf => <Field label={t.entry.email} name='email' type='email' autocomplete='username' required error={errorOf('email')} />}
          </Form>
        </>
      )}
      <div class='links'>
        <p><Link to={{ view: 'reset', code: '' }}>{t.entry.haveCode}</Link></p>
        <p><Link to={{ view: 'login' }}>{t.entry.backToLogin}</Link></p>
      </div>
    </>
  )
}
