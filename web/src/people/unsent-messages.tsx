import type { Channel, Outgoing } from '@parley/client'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { copy } from './copy.ts'

/** Messages that a closed channel did not take. They stay until somebody decides what becomes of them. */
export function UnsentMessages ({ channel, outbox }: { channel: Channel, outbox: readonly Outgoing[] }) {
  if (outbox.length === 0) return null
  return (
    <section class='unsent'>
      <h2>{t.people.unsent(outbox.length)}</h2>
      <ul>
        {outbox.map(({ clientId, text }) => (
          <li key={clientId}>
            <p dir='auto'>{text}</p>
            <Button kind='link' class='small' onClick={() => copy(text)}>{t.people.copy}</Button>
            <Button kind='link' class='small' onClick={() => channel.discard(clientId)}>{t.people.discard}</Button>
          </li>
        ))}
      </ul>
    </section>
  )
}
