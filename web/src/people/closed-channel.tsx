import type { Channel, ChannelState } from '@parley/client'
import { useEffect, useRef } from 'preact/hooks'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'
import { Empty } from '../ui/empty.tsx'
import { errorText } from '../ui/error-text.ts'
import type { IconName } from '../ui/icon.tsx'
import { countdown, moment, useMoment } from './times.ts'
import { UnsentMessages } from './unsent-messages.tsx'

/** Stands where the messages were when a channel is closed: says why, and what one can do. */
export function ClosedChannel ({ channel, state }: { channel: Channel, state: ChannelState }) {
  const { error } = state
  const { isKicked, reason, expiresAt } = error?.details ?? {}
  const isBanned = error?.code === 'banned'
  const isRunning = useMoment(isBanned ? expiresAt : undefined, true)
  const canJoin = !isBanned || (expiresAt !== null && !isRunning)
  const [icon, ...lines] = why()
  const region = useRef<HTMLDivElement>(null)
  // The control that had the focus may have gone with the messages.
  useEffect(() => { if (document.activeElement === document.body) region.current?.focus() }, [])

  function join (): void {
    // Opening the channel once more joins it, although it is open here already.
    const close = channel.open()
    close()
    document.getElementById('main')?.focus()
  }

  function why (): [IconName, ...string[]] {
    const where = `#${channel.name}`
    switch (error?.code) {
      case 'banned':
        if (expiresAt === null) return ['block', t.people.youAreBanned(where), t.people.noEnd]
        if (!expiresAt) return ['block', t.people.youAreBanned(where)]
        return isRunning
          ? ['block', t.people.youAreBanned(where), t.people.banEnds(moment(expiresAt), countdown(expiresAt))]
          : ['block', t.people.banIsOver(where)]
      case 'not_in_channel': return ['leave', isKicked ? t.people.youWereRemoved(where) : t.people.notIn(where)]
      case 'channel_not_found': return ['lock', t.people.noSuchChannel]
      case 'not_authorized': return ['lock', t.people.notForYou(where)]
      case 'channel_full': return ['people', t.people.full(where)]
      default: return ['warning', error ? errorText(error) : t.common.somethingWrong]
    }
  }

  return (
    <div ref={region} class='closed-channel' tabIndex={-1}>
      <Empty icon={icon}>
        <div role='status'>{lines.map(line => <p key={line} dir='auto'>{line}</p>)}</div>
        {isBanned && reason && <p class='given-reason' dir='auto'>{t.people.reason(reason)}</p>}
        {canJoin && (
          <Button kind='primary' onClick={join}>{error?.code === 'not_in_channel' ? t.people.joinAgain : t.common.retry}</Button>
        )}
        <UnsentMessages channel={channel} outbox={state.outbox} />
      </Empty>
    </div>
  )
}
