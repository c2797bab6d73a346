import { useId } from 'preact/hooks'
import type { ComponentChildren, InputHTMLAttributes, TextareaHTMLAttributes } from 'preact'

type InputProps = Pick<
  InputHTMLAttributes<HTMLInputElement>,
  'autocomplete' | 'autofocus' | 'disabled' | 'inputMode' | 'max' | 'maxLength' | 'min' | 'minLength' | 'name' | 'onInput' | 'pattern' |
  'placeholder' | 'required' | 'spellcheck' | 'value' | 'defaultValue' | 'dir'
> & { type?: 'text' | 'email' | 'password' | 'number' | 'search' }
export type FieldProps = InputProps & { label: string, hint?: string | undefined, error?: string | undefined, children?: ComponentChildren }

/** A labeled input with its hint and its error. Children are controls beside the input. */
export function Field ({ label, hint, error, children, ...input }: FieldProps) {
  const id = useId()
  const about = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  // The types of an input depend on its type, which is not known here.
  const attributes = {
    ...input, id, class: 'input', 'aria-invalid': error ? 'true' : undefined, 'aria-describedby': about || undefined
  } as InputHTMLAttributes<HTMLInputElement>
  return (
    <div class='field'>
      <label for={id}>{label}</label>
      {children ? <div class='with-control'><input {...attributes} />{children}</div> : <input {...attributes} />}
      {hint && <p class='hint' id={`${id}-hint`}>{hint}</p>}
      {error && <p class='error' id={`${id}-error`}>{error}</p>}
    </div>
  )
}

type AreaProps =
  Pick<TextareaHTMLAttributes<HTMLTextAreaElement>, 'maxLength' | 'name' | 'placeholder' | 'required' | 'rows'> &
  { label: string }

/** A labeled field for a text of several lines. */
export function TextArea ({ label, ...area }: AreaProps) {
  const id = useId()
  return (
    <div class='field'>
      <label for={id}>{label}</label>
      <textarea {...area} id={id} class='input' dir='auto' />
    </div>
  )
}
