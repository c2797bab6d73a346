/** Gives the focus to the title of the section, after the control that had it is gone. */
export function focusTitle (): void {
  document.querySelector<HTMLElement>('.admin-main h1')?.focus()
}
