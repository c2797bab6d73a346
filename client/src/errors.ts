import { againCodes } from './generated/names.ts'
import type { ErrorCode } from './wire.ts'

/** Codes that the client itself gives: `aborted` for what the caller has taken back. */
export type ClientErrorCode = 'offline' | 'timeout' | 'outbox_full' | 'aborted'

/** More about `banned` and `not_in_channel`, as far as the server has said it. */
export interface ErrorDetails {
  /** A moderator has removed the user from the channel. */
  isKicked?: boolean
  /** Why the user is banned; null if the moderator gave no reason. */
  reason?: string | null
  /** When the ban ends, as an ISO time; null if it has no end. */
  expiresAt?: string | null
}

/** Why something that was asked for did not happen. */
export class ParleyError extends Error {
  readonly code: ErrorCode | ClientErrorCode
  /** Whether the same may succeed later. */
  readonly again: boolean
  /** Milliseconds after which it may succeed, where the server has said so. */
  readonly retryAfterMs?: number | undefined
  readonly details: ErrorDetails

  constructor (code: ErrorCode | ClientErrorCode, message: string = code, retryAfterMs?: number, details: ErrorDetails = {}) {
    super(message)
    this.name = 'ParleyError'
    this.code = code
    this.again = [...againCodes, 'offline', 'timeout', 'outbox_full'].includes(code)
    this.retryAfterMs = retryAfterMs
    this.details = details
  }
}

/** Makes an error of an error frame, or of the body of a REST answer. */
export function errorOf ({ code, message, retry_after_ms: retryAfterMs, reason, expires_at: expiresAt }: {
  code: string, message: string, retry_after_ms?: number, reason?: string | null, expires_at?: string | null
}): ParleyError {
  return new ParleyError(code as ErrorCode, message, retryAfterMs, expiresAt === undefined ? {} : { reason: reason ?? null, expiresAt })
}
