import type { ComponentChildren } from 'preact'
import { t } from '../text.ts'
import { classes, IconButton } from '../ui/button.tsx'
import { Icon, type IconName } from '../ui/icon.tsx'

/** A line at the top of the page. `info` is for what needs no attention; `onClose` gives it a button that closes it. */
export function Line ({ icon, kind = 'warning', onClose, children }: {
  icon?: IconName, kind?: 'warning' | 'info', onClose? (): void, children: ComponentChildren
}) {
  return (
    <div class={classes('top-line', kind)}>
      {icon && <Icon name={icon} />}
      <p>{children}</p>
      {onClose && <IconButton icon='close' label={t.common.close} onClick={onClose} />}
    </div>
  )
}
