import { useSignal } from '@preact/signals'
import { t } from '../text.ts'
import { IconButton } from './button.tsx'
import { Field, type FieldProps } from './field.tsx'

/** The shortest password that the server takes. */
const SHORTEST = 8

/** A password, with a button that shows it. `isNew`: it is being chosen, so the rules are shown. */
export function PasswordField ({ isNew = false, ...rest }: Pick<FieldProps, 'label' | 'name' | 'error'> & { isNew?: boolean }) {
  const isShown = useSignal(false)
  return (
    <Field
      {...rest}
      type={isShown.value ? 'text' : 'password'}
      autocomplete={isNew ? 'new-password' : 'current-password'}
      hint={isNew ? t.entry.passwordRule(SHORTEST) : undefined}
      minLength={isNew ? SHORTEST : 1}
      maxLength={256}
      spellcheck={false}
      required
    >
      <IconButton
        icon={isShown.value ? 'hidden' : 'eye'} label={t.entry.showPassword} aria-pressed={isShown.value}
        onClick={() => { isShown.value = !isShown.value }}
      />
    </Field>
  )
}
