import { useSignal } from '@preact/signals'
import { Field } from '../ui/field.tsx'
import { FormDialog } from '../ui/form-dialog.tsx'
import { a } from './text.ts'

/** Asks for the name of a person before their account is erased, because nothing brings it back. */
export function EraseDialog ({ name, act, onClose }: { name: string, act (): Promise<void>, onClose (): void }) {
  const error = useSignal<string | undefined>(undefined)
  return (
    <FormDialog
      title={a.users.eraseTitle(name)} button={a.users.erase} isDanger onClose={onClose}
      mayAct={form => {
        const isRight = String(form.get('name')).trim() === name.trim()
        error.value = isRight ? undefined : a.users.otherName(name)
        return isRight
      }}
      act={act}
    >
      <p dir='auto'>{a.users.aboutErase(name)}</p>
      <Field label={a.users.typeName(name)} name='name' required autocomplete='off' spellcheck={false} dir='auto' error={error.value} />
    </FormDialog>
  )
}
