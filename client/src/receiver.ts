import type { Notices } from './wire.ts'

/** Functions that handle frames that the server sends unasked, by type. */
export type Handlers = { [K in keyof Notices]?: (notice: Notices[K]) => void }

/** Returns a function that hands a frame to the function for its type. @returns whether there is one. */
export function createReceiver (handlers: Handlers) {
  return (frame: { type: string }): boolean => {
    if (!Object.hasOwn(handlers, frame.type)) return false
    const handle = handlers[frame.type as keyof Notices] as (frame: unknown) => void
    handle(frame)
    return true
  }
}
