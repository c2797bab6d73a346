import type { ComponentChildren, HTMLAttributes, JSX } from 'preact'
import { addressOf, go, type Route } from '../route.ts'
import { Icon, type IconName } from './icon.tsx'

type ButtonProps = JSX.IntrinsicElements['button'] & {
  kind?: 'primary' | 'danger' | 'quiet' | 'link' | 'danger primary' | undefined
  wide?: boolean
}
type IconButtonProps = JSX.IntrinsicElements['button'] & { icon: IconName, label: string }

export function Button ({ kind, wide = false, class: more, type = 'button', ...rest }: ButtonProps) {
  return <button {...rest} type={type} class={classes('button', kind, wide && 'wide', more as string | undefined)} />
}

/** A button that shows an icon only. `label` is its name, which is shown when it is pointed at. */
export function IconButton ({ icon, label, class: more, ...rest }: IconButtonProps) {
  return (
    <button type='button' aria-label={label} title={label} {...rest} class={classes('icon-button', more as string | undefined)}>
      <Icon name={icon} />
    </button>
  )
}

type LinkProps = Pick<HTMLAttributes<HTMLAnchorElement>, 'class' | 'title' | 'dir' | 'tabIndex' | 'aria-label' | 'aria-current'> & {
  to: Route
  children?: ComponentChildren
  /** Called when the view is shown. */
  onFollow?: () => void
}

/** A link to a view of the app, which shows it without loading the page. */
export function Link ({ to, children, onFollow, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={addressOf(to)}
      onClick={event => {
        // The browser opens the link itself in another tab or window.
        if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return
        event.preventDefault()
        go(to)
        onFollow?.()
      }}
    >
      {children}
    </a>
  )
}

/** A link that shows an icon only. `label` is its name, which is shown when it is pointed at. */
export function IconLink ({ icon, label, class: more, ...rest }: LinkProps & { icon: IconName, label: string, class?: string }) {
  return <Link {...rest} class={classes('icon-button', more)} aria-label={label} title={label}><Icon name={icon} /></Link>
}

/** Joins the names of classes, without those that are missing. */
export function classes (...names: Array<string | false | null | undefined>): string {
  return names.filter(Boolean).join(' ')
}
