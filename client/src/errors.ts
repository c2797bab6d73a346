import { againCodes } from './generated/names.ts'
import type { ErrorCode } from './wire.ts'

/** Codes that the client itself gives: `aborted` for what the caller has taken back. */
export type ClientErrorCode = 'offline' | 'timeout' | 'outbox_full' | 'aborted'

/** Why something that was asked for did not happen. */
export class ParleyError extends Error {
  readonly code: ErrorCode | ClientErrorCode
  /** Whether the same may succeed later. */
  readonly again: boolean
  /** Milliseconds after which it may succeed, where the server has said so. */
  readonly retryAfterMs?: number | undefined

  constructor (code: ErrorCode | ClientErrorCode, message: string = code, retryAfterMs?: number) {
    super(message)
    this.name = 'ParleyError'
    this.code = code
    this.again = [...againCodes, 'offline', 'timeout', 'outbox_full'].includes(code)
    this.retryAfterMs = retryAfterMs
  }
}

/** Makes an error of an error frame, or of the body of a REST answer. */
export function errorOf ({ code, message, retry_after_ms: retryAfterMs }: {
  code: string, message: string, retry_after_ms?: number
}): ParleyError {
  return new ParleyError(code as ErrorCode, message, retryAfterMs)
}
