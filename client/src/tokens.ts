import type { Clock } from './clock.ts'
import type { TokenReason } from './options.ts'

/** The parts of its life after which a token is renewed, and after which it is not used for a new connection [C7]. */
const RENEWED_AT = 0.8
const EXPIRED_AT = 0.95

/** An access token. `life` is in milliseconds, undefined until the server tells it. */
export interface Token { token: string, life?: number }

export type Tokens = ReturnType<typeof createTokens>

/** Keeps the current access token, and asks for another where that is needed, once at a time [C7]. */
export function createTokens ({ clock, ask }: { clock: Clock, ask (why: TokenReason): Promise<Token | null> }) {
  let current: { token: string, expiresAt: number, renewAt: number } | undefined
  let asking: Promise<string | null> | undefined
  /** Changes when the login changes, so that an answer for the earlier login is not kept. */
  let era = 0

  function keep (token: string, life = Infinity): void {
    const now = clock.now()
    current = { token, expiresAt: now + life * EXPIRED_AT, renewAt: now + life * RENEWED_AT }
  }

  async function fetch (why: TokenReason): Promise<string | null> {
    const before = era
    const found = await ask(why)
    if (era !== before) return found?.token ?? null
    if (found) keep(found.token, found.life)
    else current = undefined
    return found?.token ?? null
  }

  return {
    /** Returns a fresh token, or null for none. For `connect` it is the current one, if that has not expired. */
    async get (why: TokenReason): Promise<string | null> {
      if (why === 'connect' && current && clock.now() < current.expiresAt) return current.token
      if (!asking) {
        const own = fetch(why).finally(() => { if (asking === own) asking = undefined })
        asking = own
      }
      return asking
    },

    /** The server has accepted this token, for so many milliseconds. */
    accepted (token: string, life: number): void {
      keep(token, life)
    },

    /** Milliseconds until the current token is to be renewed; Infinity if it never has to be. */
    untilRenewal: (): number => Math.max(0, (current?.renewAt ?? Infinity) - clock.now()),

    /** Forgets the token: it has expired, or the login is another. */
    forget (): void {
      era++
      current = undefined
      asking = undefined
    }
  }
}
