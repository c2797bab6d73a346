import type { ComponentChildren } from 'preact'
import { t } from '../text.ts'
import { IconLink } from '../ui/button.tsx'

/** The head of a view beside the sidebar. On phones it leads back to the list. */
export function ViewHeader ({ title, children }: { title: ComponentChildren, children?: ComponentChildren }) {
  return (
    <header class='view-header'>
      <IconLink class='back' icon='back' label={t.common.back} to={{ view: 'home' }} />
      <h1 class='cut'>{title}</h1>
      {children}
    </header>
  )
}
