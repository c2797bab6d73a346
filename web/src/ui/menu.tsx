import { useEffect, useRef } from 'preact/hooks'
import { useSignal } from '@preact/signals'
import { IconButton } from './button.tsx'
import { Icon, type IconName } from './icon.tsx'

export interface MenuItem { icon: IconName, label: string, isDanger?: boolean, onSelect (): void }

/** A button that opens a menu: with the arrow keys one moves in it, Escape closes it. */
export function MenuButton ({ icon, label, items, class: more }: { icon: IconName, label: string, items: MenuItem[], class?: string }) {
  const isOpen = useSignal(false)
  const button = useRef<HTMLSpanElement>(null)
  return (
    <span ref={button} class={more}>
      <IconButton
        icon={icon} label={label} aria-haspopup='menu' aria-expanded={isOpen.value}
        onClick={() => { isOpen.value = !isOpen.value }}
      />
      {isOpen.value && <Menu label={label} anchor={button.current!} items={items} onClose={() => { isOpen.value = false }} />}
    </span>
  )
}

function Menu ({ label, anchor, items, onClose }: { label: string, anchor: HTMLElement, items: MenuItem[], onClose (): void }) {
  const menu = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const shown = menu.current!
    shown.showPopover()
    place(shown, anchor)
    shown.querySelector<HTMLElement>('[role=menuitem]')?.focus()
  }, [])

  function onKeyDown (event: KeyboardEvent): void {
    const choices = [...menu.current!.querySelectorAll<HTMLElement>('[role=menuitem]')]
    const at = choices.indexOf(document.activeElement as HTMLElement)
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
    if (event.key === 'Tab') return close()
    if (to === undefined) return
    event.preventDefault()
    choices.at(to % choices.length)?.focus()
  }

  function close (): void {
    onClose()
    anchor.querySelector('button')?.focus()
  }

  return (
    <div
      ref={menu}
      popover='auto'
      class='menu'
      role='menu'
      aria-label={label}
      onKeyDown={onKeyDown}
      onToggle={event => { if (event.newState === 'closed') onClose() }}
    >
      {items.map(({ icon, label, isDanger, onSelect }) => (
        <button
          key={label}
          type='button'
          role='menuitem'
          tabIndex={-1}
          class={isDanger ? 'danger' : undefined}
          onClick={() => {
            close()
            onSelect()
          }}
        >
          <Icon name={icon} />{label}
        </button>
      ))}
    </div>
  )
}

/** Puts the popover below its anchor, or above it where there is no room below. */
export function place (popover: HTMLElement, anchor: HTMLElement): void {
  const from = anchor.getBoundingClientRect()
  const { offsetWidth: width, offsetHeight: height } = popover
  const isBelow = from.bottom + height + 8 <= innerHeight || from.top < height
  popover.style.insetBlockStart = `${Math.max(8, isBelow ? from.bottom + 4 : from.top - height - 4)}px`
  popover.style.insetInlineStart = `${Math.max(8, Math.min(from.right - width, innerWidth - width - 8))}px`
}
