import { exactly } from '../people/times.ts'
import { t } from '../text.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { copy } from '../ui/copy.ts'
import { Dialog, openDialog } from '../ui/dialog.tsx'
import { Field } from '../ui/field.tsx'
import { a } from './text.ts'

interface Code { title: string, about: string, code: string, link?: string | null, end: string }

/** Shows a code, and the link with it where there is one. The server shows it only this once. */
export function openCode ({ title, about, code, link, end }: Code): void {
  openDialog(close => (
    <Dialog title={title} onClose={close}>
      <p>{about}</p>
      {link && <Secret label={a.codes.link} text={link} />}
      <Secret label={a.codes.code} text={code} />
      <p class='soft small'>{a.codes.once(exactly(end))}</p>
      <div class='actions'><Button kind='primary' onClick={close}>{t.common.close}</Button></div>
    </Dialog>
  ))
}

function Secret ({ label, text }: { label: string, text: string }) {
  // A field that nobody can change still lets people select its text.
  return (
    <Field label={label} value={text} dir='ltr' onInput={event => { event.currentTarget.value = text }}>
      <IconButton icon='copy' label={a.codes.copy(label)} onClick={() => copy(text)} />
    </Field>
  )
}
