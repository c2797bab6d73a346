import type { RefObject } from 'preact'
import { useLayoutEffect } from 'preact/hooks'

/** Phones have no key for a line break beside Enter, so there Enter makes one. */
const isTouch = matchMedia('(pointer: coarse) and (not (any-pointer: fine))').matches
const growsByItself = CSS.supports('field-sizing', 'content')

/** The length of a text as the server counts it: in Unicode code points. */
export function lengthOf (text: string): number {
  return text.length > 50_000 ? text.length : [...text].length
}

/** A field for text that grows with it. Enter is `onEnter`, Shift and Enter break the line. */
export function GrowingField ({ field, label, text, onText, onEnter, onKeyDown }: {
  field: RefObject<HTMLTextAreaElement | null>
  label: string
  text: string
  onText (text: string): void
  onEnter (): void
  onKeyDown? (event: KeyboardEvent): void
}) {
  useLayoutEffect(() => {
    if (growsByItself) return
    const { style, scrollHeight } = field.current!
    style.height = 'auto'
    style.height = `${Math.max(scrollHeight, field.current!.scrollHeight)}px`
  }, [text])

  return (
    <textarea
      ref={field} class='growing' rows={1} dir='auto' aria-label={label} placeholder={label} value={text}
      enterkeyhint={isTouch ? 'enter' : 'send'}
      onInput={event => onText(event.currentTarget.value)}
      onKeyDown={event => {
        if (event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229 && !isTouch) {
          event.preventDefault()
          onEnter()
        } else {
          onKeyDown?.(event)
        }
      }}
    />
  )
}
