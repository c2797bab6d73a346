import { parley } from '../client.ts'
import { go } from '../route.ts'
import { t } from '../text.ts'
import { Link } from '../ui/button.tsx'
import { Form } from '../ui/form.tsx'
import { PasswordField } from '../ui/password-field.tsx'
import { CodeField } from './code-form.tsx'
import { leave } from './leaving.ts'

/** Sets a new password by the code of the address, or by one that somebody enters. All logins of the account end. */
export function ResetForm ({ code }: { code: string }) {
  async function reset (fields: Record<string, string>): Promise<void> {
    const body = { code: fields.code?.trim() ?? code, password: fields.password! }
    await leave('reset', () => parley.rest('POST /api/auth/reset', { body }))
    go({ view: 'login' }, { replace: true })
  }

  return (
    <>
      <Form at={{ invalid_code: 'code' }} action={t.entry.setPassword} send={reset}>
        {errorOf => (
          <>
            {code === '' && <CodeField error={errorOf('code')} />}
            <PasswordField label={t.entry.newPassword} name='password' isNew error={errorOf('password')} />
          </>
        )}
      </Form>
      <p class='links'><Link to={{ view: 'forgot' }}>{t.entry.otherMail}</Link></p>
    </>
  )
}
