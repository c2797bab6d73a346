import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Form } from '../ui/form.tsx'
import { PasswordField } from '../ui/password-field.tsx'
import { toast } from '../ui/toast.tsx'
import { Section } from './section.tsx'

export function PasswordSection () {
  async function change ({ current = '', password = '' }: Record<string, string>): Promise<void> {
    await parley.account.update({ password, current_password: current })
    toast(t.settings.passwordChanged)
  }

  return (
    <Section title={t.settings.password} about={t.settings.passwordAbout}>
      <Form
        at={{ not_authorized: 'current' }} say={{ not_authorized: t.settings.wrongPassword }} action={t.settings.changePassword}
        send={change} clears
      >
        {errorOf => (
          <>
            <PasswordField label={t.settings.currentPassword} name='current' error={errorOf('current')} />
            <PasswordField label={t.entry.newPassword} name='password' isNew error={errorOf('password')} />
          </>
        )}
      </Form>
    </Section>
  )
}
