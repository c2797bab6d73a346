import type { Clock } from './clock.ts'
import type { TokenReason } from './options.ts'

/** The parts of its life after which a token is renewed, and after which it is not used for a new connection [C7]. */
const RENEWED_AT = 0.8
const EXPIRED_AT = 0.95

/** An access token. `life` is in milliseconds, undefined until the server tells it. */
export interface Token { token: string, life?: number }

export type Tokens = ReturnType<typeof createTokens>

/** Keeps the current access token, and asks for another where that is needed, once at a time [C7]. */
export function createTokens ({ clock, ask }: { clock: Clock, ask (why: TokenReason, signal: AbortSignal): Promise<Token | null> }) {
  let stopping = new AbortController()
  let current: { token: string, expiresAt: number, renewAt: number } | undefined
  let asking: Promise<string | null> | undefined

  function forget (): void {
    current = asking = undefined
  }

  /** Keeps a token that is good for so many milliseconds. */
  function keep (token: string, life = Infinity): void {
    const now = clock.now()
    current = { token, expiresAt: now + life * EXPIRED_AT, renewAt: now + life * RENEWED_AT }
  }

  return {
    /** Returns a fresh token, or null for none. For `connect` it is the current one, if that has not expired. */
    async get (why: TokenReason): Promise<string | null> {
      if (why === 'connect' && current && clock.now() < current.expiresAt) return current.token
      if (asking) return asking
      const own = ask(why, stopping.signal).then(found => {
        // The login may be another one by now.
        if (asking === own) {
          current = undefined
          if (found) keep(found.token, found.life)
        }
        return found && found.token
      }).finally(() => { if (asking === own) asking = undefined })
      asking = own
      return own
    },

    keep,

    /** Milliseconds until the current token is to be renewed; Infinity if it never has to be. */
    untilRenewal: (): number => (current?.renewAt ?? Infinity) - clock.now(),

    /** Forgets the token: it has expired, or the login is another. */
    forget,

    /** Waits no longer for an answer, which may never come: the next call asks again. */
    giveUp (): void { asking = undefined },

    /** The same, and asks no longer for another [C10]. */
    stop (): void {
      stopping.abort()
      stopping = new AbortController()
      forget()
    }
  }
}
