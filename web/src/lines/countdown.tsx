import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { t } from '../text.ts'

/** Counts the seconds down. It is not read aloud, because it changes every second. `until` is in milliseconds since 1970. */
export function Countdown ({ until }: { until: number }) {
  const now = useSignal(Date.now())
  useEffect(() => {
    const timer = setInterval(() => { now.value = Date.now() }, 1000)
    return () => clearInterval(timer)
  }, [until])
  return <span class='countdown' aria-hidden='true'>{t.connection.again(Math.max(1, Math.ceil((until - now.value) / 1000)))}</span>
}
