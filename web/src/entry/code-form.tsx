import { t } from '../text.ts'
import { Field } from '../ui/field.tsx'
import { Form } from '../ui/form.tsx'

/** Asks for the code of a mail. */
export function CodeForm ({ action, use }: { action: string, use (code: string): Promise<void> }) {
  return (
    <Form at={{ invalid_code: 'code' }} action={action} send={({ code = '' }) => use(code.trim())}>
      {errorOf => <CodeField error={errorOf('code')} />}
    </Form>
  )
}

export function CodeField ({ error }: { error: string | undefined }) {
  return (
    <Field
      label={t.entry.code} name='code' required maxLength={64} autocomplete='one-time-code' spellcheck={false}
      hint={t.entry.codeHint} error={error}
    />
  )
}
