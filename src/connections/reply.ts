import { AppError } from '../errors.ts'
import type { Receipt } from '../schemas/message.ts'
import type { Ref } from '../schemas/protocol.ts'
import { encode } from './frames.ts'
import type { Sent } from './traffic.ts'

/** The reply to a request. `after` runs once the reply is queued for sending. */
export interface Reply { frame: { type: ReplyType, [field: string]: unknown }, after?: () => void }
export type ReplyType = Exclude<Sent, 'welcome' | 'entry' | 'notice'>

export function success (action: string, data: object): Reply {
  return { frame: { type: 'success', action, data } }
}

/** Encodes the reply to a stored `send_message`, the only reply on the hot path. */
export function encodeSent (receipt: Receipt, ref: Ref | undefined): Buffer {
  return encode({ type: 'success', action: 'message_sent', data: receipt, ...ref !== undefined && { ref } })
}

/** Converts a fault to the error for the client: REST's `invalid_request` becomes `invalid_frame`, an unexpected fault `internal`. */
export function toWireError (error: unknown): AppError {
  if (!(error instanceof AppError)) return new AppError('internal')
  return error.code === 'invalid_request' ? new AppError('invalid_frame', { detail: error.detail! }) : error
}

export function encodeError (error: AppError, ref: Ref | undefined): Buffer {
  return encode({
    type: 'error',
    code: error.code,
    message: error.message,
    ...ref !== undefined && { ref },
    ...error.retryAfterMs !== undefined && { retry_after_ms: error.retryAfterMs },
    ...error.ban
  })
}
