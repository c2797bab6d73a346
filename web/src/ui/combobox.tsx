import type { ComponentChildren } from 'preact'
import { useSignal, type Signal } from '@preact/signals'
import { useEffect, useId, useRef } from 'preact/hooks'
import { t } from '../text.ts'
import { classes } from './button.tsx'

/** Choices that a page is. */
const PAGE = 8

/** Something to choose. `about` is softer and stands behind the label, `end` at the end of the line. */
export interface Option {
  key: string
  icon: ComponentChildren
  label: string
  about?: string | undefined
  end?: ComponentChildren
  onChoose (): void
}

/**
 * A text field with the choices that fit its text below it. The arrow keys move through them while the focus stays in the field, Enter
 * chooses. `children` is shown where there is no choice.
 */
export function Combobox ({ label, placeholder, query, options, children }: {
  label: string, placeholder: string, query: Signal<string>, options: Option[], children?: ComponentChildren
}) {
  const id = useId()
  const list = useRef<HTMLUListElement>(null)
  const active = useSignal(0)
  const at = Math.min(active.value, options.length - 1)
  useEffect(() => list.current!.children[at]?.scrollIntoView({ block: 'nearest' }), [at])

  function onKeyDown (event: KeyboardEvent): void {
    if (event.isComposing || options.length === 0) return
    const steps = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: Math.min(at + PAGE, options.length - 1), PageUp: Math.max(at - PAGE, 0) }
    const to = steps[event.key as keyof typeof steps] as number | undefined
    if (event.key === 'Enter') options[at]!.onChoose()
    else if (to === undefined) return
    else active.value = (to + options.length) % options.length
    event.preventDefault()
  }

  return (
    <div class='combobox'>
      <input
        class='input' type='text' autofocus role='combobox' aria-label={label} placeholder={placeholder} value={query.value}
        aria-expanded={options.length > 0} aria-controls={`${id}-list`} aria-autocomplete='list'
        aria-activedescendant={options.length > 0 ? `${id}-${at}` : undefined}
        autocomplete='off' autocapitalize='off' spellcheck={false} dir='auto' maxLength={64}
        onInput={event => {
          query.value = event.currentTarget.value
          active.value = 0
        }}
        onKeyDown={onKeyDown}
      />
      <ul ref={list} id={`${id}-list`} role='listbox' aria-label={label}>
        {options.map(({ key, icon, label: name, about, end, onChoose }, place) => (
          // The keyboard chooses in the field above.
          <li
            key={key} id={`${id}-${place}`} role='option' aria-selected={place === at} class={classes('option', place === at && 'active')}
            onMouseMove={() => { active.value = place }}
            onMouseDown={event => event.preventDefault()}
            onClick={onChoose}
          >
            {icon}
            <span class='cut' dir='auto'>{name}</span>
            {about && <span class='about cut soft small' dir='auto'>{about}</span>}
            {end && <span class='end soft small'>{end}</span>}
          </li>
        ))}
      </ul>
      {options.length === 0 && children}
      <p class='unseen' role='status'>{query.value !== '' && t.jump.found(options.length)}</p>
    </div>
  )
}
