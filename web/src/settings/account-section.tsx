import { useSignal } from '@preact/signals'
import { parley } from '../client.ts'
import { leave } from '../entry/leaving.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { attempt } from '../ui/error-text.ts'
import { Form } from '../ui/form.tsx'
import { PasswordField } from '../ui/password-field.tsx'
import { toast } from '../ui/toast.tsx'
import { downloadData } from './download.ts'
import { Section } from './section.tsx'

/** Logging out, taking one's data along, and the end of the account. */
export function AccountSection () {
  const isBusy = useSignal(false)

  async function download (): Promise<void> {
    if (isBusy.value) return
    isBusy.value = true
    toast(t.settings.downloading)
    await attempt(async () => { if (!await downloadData()) toast(t.settings.incomplete) })
    isBusy.value = false
  }

  return (
    <Section title={t.settings.data}>
      <div class='account setting'>
        <p class='soft small'>{t.settings.logOutAbout}</p>
        <Button onClick={() => attempt(() => leave('left', parley.account.logout))}>{t.entry.logOut}</Button>
      </div>
      <div class='account setting'>
        <p class='soft small'>{t.settings.downloadAbout}</p>
        <Button aria-disabled={isBusy.value} onClick={download}>{t.settings.download}</Button>
      </div>
      <div class='account setting'>
        <p class='soft small'>{t.settings.eraseAbout}</p>
        <Button kind='danger' onClick={() => openDialog(close => <EraseDialog onClose={close} />)}>{t.settings.erase}</Button>
      </div>
    </Section>
  )
}

function EraseDialog ({ onClose }: { onClose (): void }) {
  async function erase ({ password = '' }: Record<string, string>): Promise<void> {
    await leave('erased', () => parley.account.erase(password))
    onClose()
  }

  return (
    <Dialog title={t.settings.eraseTitle} onClose={onClose}>
      <p>{t.settings.eraseWarning}</p>
      <Form
        at={{ not_authorized: 'password' }} say={{ not_authorized: t.settings.wrongPassword }}
        action={t.settings.erase} kind='danger primary' send={erase}
        more={<Button onClick={onClose}>{t.common.cancel}</Button>}
      >
        {errorOf => <PasswordField label={t.entry.password} name='password' error={errorOf('password')} />}
      </Form>
    </Dialog>
  )
}
