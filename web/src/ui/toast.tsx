import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { t } from '../text.ts'
import { IconButton } from './button.tsx'

/** Milliseconds that a toast stays, unless somebody closes it. */
const SHOWN_FOR = 6000
const MAX_SHOWN = 3

const toasts = signal<Array<{ id: number, content: ComponentChildren }>>([])
let last = 0

/** Shows a short line at the bottom, such as the result of an act that nothing else shows. */
export function toast (content: ComponentChildren): void {
  const id = ++last
  toasts.value = [...toasts.value, { id, content }].slice(-MAX_SHOWN)
  setTimeout(() => close(id), SHOWN_FOR)
}

function close (id: number): void {
  toasts.value = toasts.value.filter(one => one.id !== id)
}

/** Shows the toasts. The app has one; it is always there, because screen readers announce only what changes in it. */
export function Toasts () {
  return (
    <div class='toasts' role='status'>
      {toasts.value.map(({ id, content }) => (
        <div key={id} class='toast'>
          <span>{content}</span>
          <IconButton icon='close' label={t.common.close} onClick={() => close(id)} />
        </div>
      ))}
    </div>
  )
}
