import type { ComponentChildren } from 'preact'
import { openDialog } from './dialog.tsx'
import { FormDialog } from './form-dialog.tsx'

interface Question {
  title: string
  /** Says what will happen. */
  text: ComponentChildren
  /** The label of the button that does it. */
  act: string
  isDanger?: boolean
  onConfirm (): Promise<unknown>
}

/** Asks once more before something is done, and stays open with the error if that fails. */
export function confirm ({ title, text, act, isDanger = false, onConfirm }: Question): void {
  openDialog(close => (
    <FormDialog title={title} button={act} isDanger={isDanger} act={onConfirm} onClose={close}><p>{text}</p></FormDialog>
  ))
}
