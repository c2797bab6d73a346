import { ParleyError, type User } from '@parley/client'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { attempt } from '../ui/error-text.ts'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'
import { toast } from '../ui/toast.tsx'
import { useLoad } from '../ui/use-load.ts'
import { Loaded, Section } from './section.tsx'

export function ProfileSection () {
  const loaded = useLoad(signal => parley.rest('GET /api/me', {}, { signal }))

  async function save ({ name = '', handle = '' }: Record<string, string>): Promise<void> {
    const before = loaded.value.value
    // The server counts changes of the handle.
    await parley.account.update({ name, ...handle !== before?.handle && { handle } })
    loaded.reload()
    toast(t.settings.saved)
  }

  return (
    <Section title={t.settings.profile}>
      <Loaded loaded={loaded}>
        {me => (
          <>
            <div class='person'>
              <Avatar id={me.id} name={me.name} size='large' />
              <div><b class='cut' dir='auto'>{me.name}</b><p class='soft cut'>@{me.handle}</p></div>
            </div>
            <Form at={{ handle_taken: 'handle' }} action={t.common.save} send={save}>
              {errorOf => (
                <>
                  <Field
                    label={t.settings.name} name='name' required maxLength={64} pattern='.*\S.*' dir='auto' autocomplete='nickname'
                    defaultValue={me.name} error={errorOf('name')}
                  />
                  <Field
                    label={t.settings.handle} name='handle' required maxLength={32} minLength={3} pattern='[a-z0-9][a-z0-9_]*'
                    spellcheck={false} autocomplete='off' defaultValue={me.handle ?? ''} hint={t.settings.aboutHandle}
                    error={errorOf('handle')}
                  />
                </>
              )}
            </Form>
            <Email me={me} />
          </>
        )}
      </Loaded>
    </Section>
  )
}

/** The address, and whether it is confirmed. It cannot be changed. */
function Email ({ me }: { me: User }) {
  async function sendMail (): Promise<void> {
    try {
      await parley.rest('POST /api/me/verification')
      toast(t.settings.verificationSent)
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code !== 'not_found') throw error
      toast(t.settings.noMails)
    }
  }

  return (
    <div class='setting'>
      <div>
        <p>
          <span class='label'>{t.settings.email}</span>{' '}
          <span class='tag'>{me.email_verified ? t.settings.isVerified : t.settings.isUnverified}</span>
        </p>
        <p class='cut'>{me.email}</p>
      </div>
      {!me.email_verified && <Button onClick={() => attempt(sendMail)}>{t.entry.confirm}</Button>}
    </div>
  )
}
