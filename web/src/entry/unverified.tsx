import { ParleyError } from '@parley/client'
import { useSignal } from '@preact/signals'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { attempt } from '../ui/error-text.ts'
import { arrive } from './arrival.ts'
import { CodeForm } from './code-form.tsx'

export interface Credentials { email: string, password: string }

/** Somebody has an account, but can log in only once they have confirmed their address by a mail. */
export function Unverified ({ email, password, onBack }: Credentials & { onBack (): void }) {
  const isSent = useSignal(false)

  async function confirm (code: string): Promise<void> {
    await parley.rest('POST /api/auth/verify', { body: { code } })
    await parley.account.login({ email, password })
    arrive()
  }

  /** A login that is refused for the address makes the server send another mail. */
  async function sendAgain (): Promise<void> {
    try {
      await parley.account.login({ email, password })
      arrive()
    } catch (error) {
      if (!(error instanceof ParleyError) || error.code !== 'email_not_verified') throw error
      isSent.value = true
    }
  }

  return (
    <>
      <p>{t.entry.mailSent(email)}</p>
      <CodeForm action={t.entry.confirm} use={confirm} />
      <div class='links' role='status'>
        <p>{isSent.value ? t.entry.sentAgain : t.entry.noMail}</p>
        <p>
          <Button kind='link' onClick={() => attempt(sendAgain)}>{t.entry.sendAgain}</Button>
          {' · '}
          <Button kind='link' onClick={onBack}>{t.entry.otherAccount}</Button>
        </p>
      </div>
    </>
  )
}
