import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'
import { errorText } from '../ui/error-text.ts'
import { Loading } from '../ui/loading.tsx'

/** A part of the settings. Its heading gets the focus when the control that had it is gone: see `focusHeading`. */
export function Section ({ title, about, children }: { title: string, about?: string, children: ComponentChildren }) {
  const id = useId()
  return (
    <section class='settings-section' aria-labelledby={id}>
      <div><h2 id={id} tabIndex={-1}>{title}</h2>{about && <p class='about'>{about}</p>}</div>
      <div class='body'>{children}</div>
    </section>
  )
}

/** Gives the focus to the heading of the section around an element that is about to go. */
export function focusHeading (element: Element | null): void {
  element?.closest('section')?.querySelector<HTMLElement>('h2')?.focus()
}

/** Shows what was read from the server, that it is being read, or why it could not be. */
export function Loaded<T> ({ loaded: { value, error }, children }: {
  loaded: { value: { value: T | undefined }, error: unknown }, children (value: T): ComponentChildren
}) {
  if (value.value !== undefined) return <>{children(value.value)}</>
  return error ? <p class='form-error' role='alert'>{errorText(error)}</p> : <Loading />
}
