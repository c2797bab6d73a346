import type { Channel, ChannelState } from '@parley/client'
import { useEffect, useState } from 'preact/hooks'
import { parley } from '../client.ts'

/** Keeps a channel open, and returns what it shows: a new state at most once in a frame, however much comes. */
export function useChannelState (name: string): { channel: Channel, state: ChannelState } {
  const channel = parley.channel(name)
  const [state, setState] = useState(channel.getSnapshot)
  useEffect(() => {
    let frame = 0
    const show = (): void => {
      frame = 0
      setState(channel.getSnapshot())
    }
    const changed = (): void => { frame ||= requestAnimationFrame(show) }
    const stop = channel.subscribe(changed)
    const close = channel.open()
    changed()
    return () => {
      cancelAnimationFrame(frame)
      stop()
      close()
    }
  }, [channel])
  return { channel, state }
}
