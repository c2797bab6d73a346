import { useId } from 'preact/hooks'

/** A labeled choice of one value. */
export function Select ({ label, hint, name, value, options, onChange }: {
  label: string
  hint?: string | undefined
  name: string
  value: string
  /** Pairs of a value and its text. */
  options: ReadonlyArray<readonly [value: string, text: string]>
  onChange? (value: string): void
}) {
  const id = useId()
  return (
    <div class='field'>
      <label for={id}>{label}</label>
      <select
        id={id} class='input' name={name} value={value} aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={event => onChange?.(event.currentTarget.value)}
      >
        {options.map(([value, text]) => <option key={value} value={value}>{text}</option>)}
      </select>
      {hint && <p class='hint' id={`${id}-hint`}>{hint}</p>}
    </div>
  )
}
