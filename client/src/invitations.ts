import { jitter } from './backoff.ts'
import { createTimer, type Clock } from './clock.ts'
import { ParleyError } from './errors.ts'
import type { RestClient } from './rest.ts'
import type { Me, Routes } from './wire.ts'

/** Most invitations that are read. A user has no more, unless the server is configured so. */
const LIMIT = 100

/** An invitation that the user has neither used nor declined. */
export type Invitation = Readonly<Routes['GET /api/me/invitations']['answer']['invitations'][number]>

/** Reads the user's invitations over REST, because the protocol has no request for them. */
export function createInvitations ({ clock, rest, me, onChange, onFault }: {
  clock: Clock
  rest: RestClient
  me (): Me | undefined
  onChange (): void
  onFault (error: unknown): void
}) {
  const retry = createTimer(clock, load)
  let list: readonly Invitation[] = []
  let isOutdated = true
  let failures = 0
  let reading: AbortController | undefined

  /** Reads the list if it is outdated. */
  function load (): void {
    if (!isOutdated || reading || retry.isRunning) return
    isOutdated = false
    const own = reading = new AbortController()
    read(own.signal).then(found => {
      list = found
      failures = 0
    }).catch((error: unknown) => {
      if (own.signal.aborted) return
      if (!(error instanceof ParleyError && error.again)) return onFault(error)
      isOutdated = true
      retry.start(error.retryAfterMs ?? jitter(failures++, clock.random()))
    }).finally(() => {
      if (own.signal.aborted) return
      reading = undefined
      onChange()
      load()
    })
  }

  async function read (signal: AbortSignal): Promise<Invitation[]> {
    // Guests, who have no handle, are invited to nothing.
    if (me()?.handle === null) return []
    const { invitations } = await rest('GET /api/me/invitations', { query: { limit: LIMIT } }, { signal })
    signal.throwIfAborted()
    return invitations
  }

  /** What was read is outdated, and so is what is being read. */
  function outdate (): void {
    reading?.abort()
    reading = undefined
    retry.stop()
    isOutdated = true
  }

  return {
    list: (): readonly Invitation[] => list,
    load,
    outdate,

    /** The invitation to this channel has ended. */
    drop (channelName: string): void {
      list = list.filter(({ channel }) => channel !== channelName)
    },

    forget (): void {
      outdate()
      list = []
    }
  }
}
