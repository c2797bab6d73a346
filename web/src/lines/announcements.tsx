import { signal } from '@preact/signals'
import { parley } from '../client.ts'
import { t } from '../text.ts'
import { Line } from './line.tsx'

/** Most announcements that are shown at once. */
const MAX_SHOWN = 3

const announcements = signal<Array<{ message: string, timestamp: string }>>([])
parley.on('announcement', announcement => { announcements.value = [...announcements.value, announcement].slice(-MAX_SHOWN) })

/** Shows announcements of administrators. Each stays until the reader closes it. */
export function Announcements () {
  return (
    <div role='status'>
      {announcements.value.map(one => (
        <Line key={one.timestamp} icon='megaphone' kind='info' onClose={() => close(one)}>
          <b>{t.connection.announcement}</b> <span dir='auto'>{one.message}</span>
        </Line>
      ))}
    </div>
  )
}

function close (one: { timestamp: string }): void {
  announcements.value = announcements.value.filter(other => other !== one)
  document.getElementById('main')?.focus()
}
