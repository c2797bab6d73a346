import type { ChannelDetails } from '@parley/client'
import { t } from '../text.ts'
import { countdown, exactly, moment, useMoment } from './times.ts'

/** Until when this user is muted in a channel, as an ISO time; undefined if they may write. It renders anew when the mute is over. */
export function useMutedUntil (details: ChannelDetails | undefined): string | undefined {
  const until = details?.me.muted_until
  return useMoment(until) ? until! : undefined
}

/** Says in place of the composer that this user is muted, until when, and how long that still is. */
export function MutedLine ({ until }: { until: string }) {
  useMoment(until, true)
  return (
    <p class='muted-line'>
      {t.people.youAreMuted(moment(until))} <span role='timer' title={exactly(until)}>{t.people.left(countdown(until))}</span>
    </p>
  )
}
