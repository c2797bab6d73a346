import type { ComponentChildren } from 'preact'
import { Icon, type IconName } from './icon.tsx'

/** Stands where there is nothing to show, and says what to do about it. */
export function Empty ({ icon, children }: { icon: IconName, children: ComponentChildren }) {
  return <div class='empty'><Icon name={icon} />{children}</div>
}
