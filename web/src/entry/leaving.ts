import { signal } from '@preact/signals'
import { parley } from '../client.ts'
import { facts } from '../facts.ts'
import { load, save } from '../keep.ts'
import { go } from '../route.ts'

const DISCONNECTED = 4503
const SESSION_REVOKED = 4504
/** Reasons that people cause themselves. The other tabs learn of them by what this browser keeps. */
const OWN_ACTS = ['left', 'erased', 'reset'] as const

type OwnAct = typeof OWN_ACTS[number]
/** The reason why a login ended. `disabled` and `revoked` are acts of others, `expired` is all that the server does not explain. */
export type Leaving = OwnAct | 'disabled' | 'revoked' | 'expired'

/** Why the login has ended that this browser had, for the page that asks for another. */
export const leaving = signal<Leaving | null>(null)

/** Ends the login by an act of the person, and remembers that. @throws what `act` throws. */
export async function leave (why: OwnAct, act: () => Promise<unknown>): Promise<void> {
  save('leaving', why)
  try {
    await act()
    leaving.value = why
  } catch (error) {
    // A logout takes effect here even if the server could not be told.
    if (why !== 'left') save('leaving', undefined)
    throw error
  }
}

/** Follows the login, to know why it ended. Call it once, before the client connects. */
export function followLogin (): void {
  let me = parley.account.getSnapshot()

  parley.account.subscribe(() => {
    const before = me
    me = parley.account.getSnapshot()
    if (me) {
      leaving.value = null
      save('leaving', undefined)
    } else if (before) {
      leaving.value = reason()
      // A guest goes on here, so they have to be told why they are one.
      if (facts.guests && leaving.value !== 'left') go({ view: 'login' })
      else if (leaving.value === 'left') go({ view: 'home' }, { replace: true })
    }
  })
  parley.subscribe(() => {
    const state = parley.getSnapshot()
    if (state.state !== 'ended') return
    // The login may have ended before the connection.
    if (state.reason.code === SESSION_REVOKED && !me) leaving.value = reason()
    // An administrator has ended the connection, and perhaps the account, too: the server tells when it is asked for tokens.
    if (state.reason.code === DISCONNECTED && me) parley.account.refresh().catch(() => {})
  })
}

function reason (): Leaving {
  const own = load('leaving', value => OWN_ACTS.find(act => act === value))
  if (own) return own
  const state = parley.getSnapshot()
  const code = state.state === 'ended' && state.reason.code
  return code === DISCONNECTED ? 'disabled' : code === SESSION_REVOKED ? 'revoked' : 'expired'
}
