import { useReadable } from '@parley/client/react'
import type { ConnectionState } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { parley } from '../client.ts'
import { Announcements } from '../lines/announcements.tsx'
import { Countdown } from '../lines/countdown.tsx'
import { GuestLine } from '../lines/guest-line.tsx'
import { Line } from '../lines/line.tsx'
import { NotifyOffer } from '../notify/notify-offer.tsx'
import { go } from '../route.ts'
import { t } from '../text.ts'
import { Button } from '../ui/button.tsx'

/** Milliseconds without a connection that nobody needs to know of: a line for each of them would make the page jump. */
const UNNOTICED = 1000
const DISCONNECTED = 4503

/** The lines above everything: how the connection is, where that matters to people, announcements, and what the app has to ask. */
export function ConnectionLine () {
  return (
    <div class='top-lines'>
      <div role='status'><Connection /></div>
      <Announcements />
      <div role='status'><NotifyOffer /></div>
      <GuestLine />
    </div>
  )
}

function Connection () {
  const connection = useReadable(parley)
  const { state } = connection
  const isOffline = !useOnLine()
  const isDown = useLasting(state === 'connecting' || state === 'waiting')
  /** The first attempt to connect is not a loss. */
  const wasLost = useRef(false)
  if (state === 'waiting') wasLost.current = true
  if (state === 'online') wasLost.current = false

  if (isOffline) return <Line icon='offline'>{t.connection.offline}</Line>
  if (connection.state === 'ended') return <Ended code={connection.reason.code} />
  if (connection.state === 'online') return connection.degraded ? <Line icon='clock' kind='info'>{t.connection.degraded}</Line> : null
  if (!isDown) return null
  if (!wasLost.current) return <Line kind='info'>{t.connection.connecting}</Line>
  return (
    <Line icon='offline'>
      {t.connection.lost}{' '}
      {connection.state === 'waiting'
        ? <><Countdown until={connection.retryAt} /> <Button kind='link' onClick={() => parley.connect()}>{t.connection.now}</Button></>
        : <span aria-hidden='true'>{t.connection.trying}</span>}
    </Line>
  )
}

/** The server has ended the connection, and another would end in the same way. Without an account the login page says so. */
function Ended ({ code }: { code: (ConnectionState & { state: 'ended' })['reason']['code'] }) {
  if (code === 'email_not_verified') {
    return (
      <Line icon='warning'>
        {t.connection.unverified} <Button kind='link' onClick={() => go({ view: 'verify', code: '' })}>{t.connection.confirm}</Button>
      </Line>
    )
  }
  const isOld = code === 'protocol'
  return (
    <Line icon='warning'>
      {isOld ? t.connection.outdated : code === DISCONNECTED ? t.connection.disconnected : t.connection.ended}{' '}
      <Button kind='link' onClick={() => isOld ? location.reload() : parley.connect()}>
        {isOld ? t.connection.reload : t.connection.connect}
      </Button>
    </Line>
  )
}

/** Returns whether a state has lasted so long that people notice it. */
function useLasting (isNow: boolean): boolean {
  const isLong = useSignal(false)
  useEffect(() => {
    if (!isNow) return
    const timer = setTimeout(() => { isLong.value = true }, UNNOTICED)
    return () => {
      clearTimeout(timer)
      isLong.value = false
    }
  }, [isNow])
  return isLong.value
}

/** Returns whether the device has a network, as far as it knows. */
function useOnLine (): boolean {
  const isOnLine = useSignal(navigator.onLine)
  useEffect(() => {
    const update = (): void => { isOnLine.value = navigator.onLine }
    for (const type of ['online', 'offline']) addEventListener(type, update)
    return () => { for (const type of ['online', 'offline']) removeEventListener(type, update) }
  }, [])
  return isOnLine.value
}
