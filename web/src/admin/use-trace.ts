import type { Notices } from '@parley/client'
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { parley } from '../client.ts'
import { errorText } from '../ui/error-text.ts'
import { toast } from '../ui/toast.tsx'

export type Traced = Notices['trace']

/** Milliseconds that a trace lasts. */
const MINUTE = 60_000
/** Most messages that are kept, the newest first. */
const MOST = 50

/** Traces the messages of a channel for a minute. `seconds` are what is left of it; 0: nothing is traced. */
export function useTrace () {
  const channel = useSignal('')
  const end = useSignal(0)
  const seconds = useSignal(0)
  const messages = useSignal<readonly Traced[]>([])
  const isTracing = end.value > 0

  // Listens from the beginning, because an effect of `isTracing` would run too late for the first message.
  useEffect(() => parley.on('trace', traced => {
    if (end.value > 0 && traced.channel === channel.value) messages.value = [traced, ...messages.value].slice(0, MOST)
  }), [])
  useEffect(() => {
    if (!isTracing) return
    // The trace ends with its connection, so it is asked for again on the next one.
    let wasOnline = isOnline()
    const unsubscribe = parley.subscribe(() => {
      const isBack = isOnline() && !wasOnline
      wasOnline = isOnline()
      if (isBack) {
        parley.request('watch_trace', { channel: channel.value }).catch(error => {
          toast(errorText(error))
          stop()
        })
      }
    })
    const timer = setInterval(() => {
      seconds.value = Math.max(0, Math.ceil((end.value - Date.now()) / 1000))
      if (seconds.value === 0) stop()
    }, 1000)
    return () => {
      unsubscribe()
      clearInterval(timer)
    }
  }, [isTracing])

  /** @throws ParleyError */
  async function start (name: string): Promise<void> {
    await parley.request('watch_trace', { channel: name })
    channel.value = name
    messages.value = []
    seconds.value = MINUTE / 1000
    end.value = Date.now() + MINUTE
  }

  /** The server has no request that ends a trace, so it goes on unseen until the minute is over. */
  function stop (): void {
    end.value = 0
    seconds.value = 0
  }

  return { seconds: seconds.value, messages: messages.value, start, stop }
}

const isOnline = (): boolean => parley.getSnapshot().state === 'online'
