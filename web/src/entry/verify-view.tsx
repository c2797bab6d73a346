import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Link } from '../ui/button.tsx'
import { errorText } from '../ui/error-text.ts'
import { Loading } from '../ui/loading.tsx'
import { CodeForm } from './code-form.tsx'

/** Confirms an email address by the code of the address, or by one that somebody enters. */
export function VerifyView ({ code }: { code: string }) {
  const state = useSignal<'asking' | 'working' | 'done'>(code === '' ? 'asking' : 'working')
  const error = useSignal('')

  async function confirm (given: string): Promise<void> {
    await parley.rest('POST /api/auth/verify', { body: { code: given } })
    state.value = 'done'
  }

  useEffect(() => {
    if (code === '') return
    confirm(code).catch((failure: unknown) => {
      error.value = errorText(failure)
      state.value = 'asking'
    })
  }, [])

  const isLoggedIn = parley.account.getSnapshot() !== null
  if (state.value === 'working') return <Loading />
  if (state.value === 'done') {
    return (
      <div role='status'>
        <p>{t.entry.verified}</p>
        <p class='links'><Link to={{ view: isLoggedIn ? 'home' : 'login' }}>{isLoggedIn ? t.entry.goOn : t.common.logIn}</Link></p>
      </div>
    )
  }
  return (
    <>
      {error.value && <p class='form-error' role='alert'>{error.value} {t.entry.askForMail}</p>}
      <CodeForm action={t.entry.confirm} use={confirm} />
      <p class='links'><Link to={{ view: isLoggedIn ? 'settings' : 'login' }}>{isLoggedIn ? t.shell.settings : t.common.logIn}</Link></p>
    </>
  )
}
