import { useSignal } from '@preact/signals'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { route } from '../route.ts'
import { t } from '../text.ts'
import { Button, Link } from '../ui/button.tsx'
import { errorText } from '../ui/error-text.ts'
import { Field } from '../ui/field.tsx'

/** What somebody sees who is not logged in. */
export function Entry () {
  const isRegistering = route.value.view === 'register'
  return (
    <main class='entry'>
      <header>
        <img src={`${globalThis.PARLEY_ASSETS}/icon.svg`} alt='' width='48' height='48' />
        <h1>{t.entry.welcome}</h1>
      </header>
      <LoginForm key={String(isRegistering)} isRegistering={isRegistering} />
      {isRegistering
        ? <p>{t.entry.haveAccount} <Link to={{ view: 'login' }}>{t.entry.logIn}</Link></p>
        : facts.registration !== 'closed' && <p>{t.entry.newHere} <Link to={{ view: 'register' }}>{t.entry.register}</Link></p>}
    </main>
  )
}

function LoginForm ({ isRegistering }: { isRegistering: boolean }) {
  const error = useSignal('')
  const isBusy = useSignal(false)

  async function submit (event: SubmitEvent): Promise<void> {
    event.preventDefault()
    const fields = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement)) as Record<'email' | 'name' | 'password', string>
    isBusy.value = true
    error.value = ''
    try {
      await (isRegistering ? parley.account.register(fields) : parley.account.login(fields))
    } catch (failure) {
      error.value = errorText(failure)
    } finally {
      isBusy.value = false
    }
  }

  return (
    <form class='form' onSubmit={submit}>
      {error.value && <p class='form-error' role='alert'>{error.value}</p>}
      {isRegistering && <Field label={t.entry.name} name='name' autocomplete='nickname' required maxLength={64} />}
      <Field label={t.entry.email} name='email' type='email' autocomplete='username' required />
      <Field
        label={t.entry.password} name='password' type='password' required minLength={isRegistering ? 8 : 1}
        autocomplete={isRegistering ? 'new-password' : 'current-password'}
      />
      <Button kind='primary' type='submit' disabled={isBusy.value}>{isRegistering ? t.entry.register : t.entry.logIn}</Button>
    </form>
  )
}
