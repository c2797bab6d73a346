/** A labeled choice of one of few values, each of which says what it means. */
export function Radios ({ label, name, value, options, onChange }: {
  label: string
  name: string
  value: string
  options: ReadonlyArray<{ value: string, label: string, about: string }>
  onChange? (value: string): void
}) {
  return (
    <fieldset class='radios'>
      <legend>{label}</legend>
      {options.map(option => (
        <label key={option.value}>
          <input
            type='radio' name={name} value={option.value} defaultChecked={option.value === value}
            onChange={() => onChange?.(option.value)}
          />
          <span>{option.label}<small>{option.about}</small></span>
        </label>
      ))}
    </fieldset>
  )
}
