import type { Channel, Outgoing } from '@parley/client'
import { useRef } from 'preact/hooks'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { copy } from '../ui/copy.ts'

/** Messages that a closed channel did not take. They stay until somebody decides what becomes of them. */
export function UnsentMessages ({ channel, outbox }: { channel: Channel, outbox: readonly Outgoing[] }) {
  const section = useRef<HTMLElement>(null)
  if (outbox.length === 0) return null

  function discard (clientId: string): void {
    channel.discard(clientId)
    // The button that had the focus goes with its message.
    section.current?.focus()
  }

  return (
    <section ref={section} class='unsent' tabIndex={-1}>
      <h2>{t.people.unsent(outbox.length)}</h2>
      <ul>
        {outbox.map(({ clientId, text }) => (
          <li key={clientId}>
            <p dir='auto'>{text}</p>
            <Button kind='link' class='small' onClick={() => copy(text)}>{t.people.copy}</Button>
            <Button kind='link' class='small' onClick={() => discard(clientId)}>{t.people.discard}</Button>
          </li>
        ))}
      </ul>
    </section>
  )
}
