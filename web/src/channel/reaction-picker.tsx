import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../text.ts'
import { IconButton } from '../ui/button.tsx'
import { place } from '../ui/menu.tsx'

const COMMON = ['👍', '❤️', '😂', '🎉', '🙏', '👀', '✅', '🔥', '😀', '🙂', '😉', '😍', '🤔', '😮', '😢', '😅', '😎', '🥳', '👏', '💪', '🙌', '👋',
  '👎', '❌', '💡', '🚀', '⭐', '☕', '🍰', '💯']
/** Emoji in a row of the picker. */
const COLUMNS = 6

/** A button that opens a choice of reactions. */
export function ReactionPicker ({ tabIndex, onPick }: { tabIndex?: number, onPick (reaction: string): void }) {
  const isOpen = useSignal(false)
  const anchor = useRef<HTMLSpanElement>(null)
  return (
    <span ref={anchor}>
      <IconButton
        icon='smile' label={t.channel.react} aria-haspopup='dialog' aria-expanded={isOpen.value} {...tabIndex !== undefined && { tabIndex }}
        onClick={() => { isOpen.value = !isOpen.value }}
      />
      {isOpen.value && (
        <Picker
          anchor={anchor.current!}
          onClose={() => { isOpen.value = false }}
          onPick={reaction => {
            isOpen.value = false
            anchor.current?.querySelector('button')?.focus()
            onPick(reaction)
          }}
        />)}
    </span>
  )
}

function Picker ({ anchor, onPick, onClose }: { anchor: HTMLElement, onPick (reaction: string): void, onClose (): void }) {
  const picker = useRef<HTMLDivElement>(null)
  useEffect(() => {
    picker.current!.showPopover()
    place(picker.current!, anchor)
    picker.current!.querySelector('button')!.focus()
  }, [])

  function onKeyDown (event: KeyboardEvent): void {
    const buttons = [...picker.current!.querySelectorAll<HTMLElement>('.emoji')]
    const at = buttons.indexOf(event.target as HTMLElement)
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key]
    if (at === -1 || by === undefined) return
    event.preventDefault()
    buttons[at + by]?.focus()
  }

  return (
    <div
      ref={picker} popover='auto' class='menu picker' role='dialog' aria-label={t.channel.react} onKeyDown={onKeyDown}
      onToggle={event => { if (event.newState === 'closed') onClose() }}
    >
      <div class='choices'>
        {COMMON.map((emoji, at) => (
          <button key={emoji} type='button' class='emoji' tabIndex={at === 0 ? 0 : -1} onClick={() => onPick(emoji)}>{emoji}</button>
        ))}
      </div>
      <form
        onSubmit={event => {
          event.preventDefault()
          const own = String(new FormData(event.currentTarget).get('reaction')).trim()
          if (own !== '') onPick(own)
        }}
      >
        <input
          class='input' name='reaction' aria-label={t.channel.ownReaction} placeholder={t.channel.ownReaction} maxLength={32}
          autocomplete='off'
        />
      </form>
    </div>
  )
}
