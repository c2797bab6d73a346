import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useId, useLayoutEffect, useRef } from 'preact/hooks'
import { t } from '../text.ts'
import { classes, IconButton } from './button.tsx'

/** The dialogs that are open, the topmost last. */
const dialogs = signal<Array<() => ComponentChildren>>([])

/** Opens a dialog: `render` gets the function that closes it, and returns a `Dialog`. @returns that function. */
export function openDialog (render: (close: () => void) => ComponentChildren): () => void {
  const close = (): void => { dialogs.value = dialogs.value.filter(one => one !== dialog) }
  const dialog = (): ComponentChildren => render(close)
  dialogs.value = [...dialogs.value, dialog]
  return close
}

/** Shows the open dialogs. The app has one. */
export function Dialogs () {
  return <>{dialogs.value.map((Shown, at) => <Shown key={at} />)}</>
}

/** A modal dialog. The browser keeps the focus in it and closes it with Escape. The focus goes back to where it was. */
export function Dialog ({ title, wide = false, onClose, children }: {
  title: string, wide?: boolean, onClose (): void, children?: ComponentChildren
}) {
  const id = useId()
  const dialog = useRef<HTMLDialogElement>(null)
  // The dialog has the focus before the next key comes.
  useLayoutEffect(() => {
    const shown = dialog.current!
    const before = document.activeElement as HTMLElement | null
    shown.showModal()
    return () => {
      shown.close()
      // The browser does not give the focus back if the dialog is not in the page any more.
      before?.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      class={classes('dialog', wide && 'wide')}
      aria-labelledby={id}
      onCancel={event => {
        event.preventDefault()
        onClose()
      }}
      onMouseDown={event => { if (event.target === dialog.current) onClose() }}
    >
      <header>
        <h2 id={id}>{title}</h2>
        <IconButton icon='close' label={t.common.close} onClick={onClose} />
      </header>
      <div class='body'>{children}</div>
    </dialog>
  )
}
