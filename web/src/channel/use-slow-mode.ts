import type { ChannelState } from '@parley/client'
import { useEffect, useReducer, useRef } from 'preact/hooks'

/** Messages at the end among which the newest one of this user is looked for. */
const LOOKED_AT = 100

/**
 * Returns the seconds until this user may write again in slow mode, 0 for none. They count from when their message came: the clock here
 * may differ from the server's.
 */
export function useSlowMode ({ details, messages }: ChannelState, me: string | undefined): number {
  const [, renderAgain] = useReducer((count: number) => count + 1, 0)
  const slowMode = details && !details.me.is_moderator ? details.slow_mode : 0
  const last = slowMode > 0 ? messages.slice(-LOOKED_AT).findLast(({ user_id: author }) => author === me)?.id : undefined
  const seen = useRef<{ id: string | undefined, at: number }>(undefined)
  if (details && !seen.current) seen.current = { id: last, at: -Infinity }
  if (seen.current && seen.current.id !== last) seen.current = { id: last, at: performance.now() }
  const left = Math.ceil(slowMode - (performance.now() - (seen.current?.at ?? -Infinity)) / 1000)

  useEffect(() => {
    if (left <= 0) return
    const timer = setInterval(renderAgain, 1000, undefined)
    return () => clearInterval(timer)
  }, [left > 0])
  return Math.max(0, left)
}
