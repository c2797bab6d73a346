/**
 * Errors that frames and REST have in common.
 * Texts, statuses and retryability: docs/protocol.md, "Errors" and "Close codes". `again`: the same request may succeed later.
 */
export const frameErrors = {
  invalid_json: { message: 'Invalid JSON format', status: 400 },
  invalid_frame: { message: 'Invalid message: REASON', status: 400 },
  unknown_type: { message: 'Unknown message type: TYPE', status: 400 },
  unknown_command: { message: 'Unknown command: COMMAND', status: 400 },
  not_authenticated: { message: 'Not authenticated', status: 401 },
  authentication_failed: { message: 'Authentication failed', status: 401 },
  token_required: { message: 'Token required', status: 401 },
  channel_required: { message: 'Channel name required', status: 400 },
  message_required: { message: 'Message required', status: 400 },
  user_required: { message: 'User ID required', status: 400 },
  invalid_channel_name: { message: 'Invalid channel name', status: 400 },
  invalid_channel_type: { message: 'Invalid channel type', status: 400 },
  channel_not_found: { message: 'Channel not found', status: 404 },
  channel_exists: { message: 'Channel already exists', status: 409 },
  user_not_found: { message: 'User not found', status: 404 },
  not_in_channel: { message: 'Not in channel', status: 403 },
  not_authorized: { message: 'Not authorized', status: 403 },
  banned: { message: 'Banned from channel', status: 403 },
  muted: { message: 'Muted in channel', status: 403, again: true },
  channel_full: { message: 'Maximum users per channel exceeded', status: 409, again: true },
  too_many_channels: { message: 'Maximum channels per user exceeded', status: 409 },
  too_many_invitations: { message: 'Maximum invitations per user exceeded', status: 409, again: true },
  blocked: { message: 'Blocked by user', status: 403 },
  too_many_blocks: { message: 'Maximum blocks per user exceeded', status: 409 },
  message_not_found: { message: 'Message not found', status: 404 },
  too_many_reactions: { message: 'Too many reactions', status: 409 },
  last_admin: { message: 'Last administrator', status: 409 },
  message_too_long: { message: 'Message too long', status: 400 },
  rate_limited: { message: 'Too many requests', status: 429, again: true },
  busy: { message: 'Server busy', status: 503, retryAfterMs: 1000, again: true },
  unavailable: { message: 'Service unavailable', status: 503, retryAfterMs: 1000, again: true },
  internal: { message: 'Internal server error', status: 500 }
} as const

const restErrors = {
  invalid_request: { message: 'Invalid request: REASON', status: 400 },
  not_found: { message: 'Not found', status: 404 },
  registration_closed: { message: 'Registration closed', status: 403 },
  invalid_invitation_code: { message: 'Invalid invitation code', status: 403 },
  invitation_code_not_found: { message: 'Invitation code not found', status: 404 },
  cross_origin: { message: 'Not from a page of this server', status: 403 },
  email_not_verified: { message: 'Email not verified', status: 403 },
  invalid_code: { message: 'Invalid code', status: 403 },
  report_not_found: { message: 'Report not found', status: 404 },
  report_settled: { message: 'Report already settled', status: 409 },
  login_not_found: { message: 'Login not found', status: 404 },
  connection_not_found: { message: 'Connection not found', status: 404 },
  handle_taken: { message: 'Handle already taken', status: 409 },
  email_taken: { message: 'Email already registered', status: 409 },
  payload_too_large: { message: 'Payload too large', status: 413 },
  unsupported_media_type: { message: 'Unsupported media type', status: 415 }
} as const

/** Every error that a client can get, over REST and WebSocket. */
export const errorTable = { ...frameErrors, ...restErrors }

export type ErrorCode = keyof typeof errorTable
/** The code of an error that a frame may have. */
export type FrameError = keyof typeof frameErrors

/** `retryAfterMs`: milliseconds after which the same request may succeed, unless the error itself gives another time. */
interface ErrorKind { message: string, status: number, retryAfterMs?: number, again?: true }

/** A ban in force, as the banned user may know it: `expires_at` is null for one without an end. */
export interface KnownBan { reason: string | null, expires_at: string | null }

/** An error whose code and text a client may see. Any other error is shown as `internal`. */
export class AppError extends Error {
  readonly code: ErrorCode
  /** HTTP status of a REST reply. */
  readonly statusCode: number
  /** Milliseconds after which the same request may succeed: `retry_after_ms` in a reply, and the REST header `Retry-After`. */
  readonly retryAfterMs: number | undefined
  /** Replaces the word in capitals at the end of the text: REASON, TYPE or COMMAND. */
  readonly detail: string | undefined
  /** The ban that refuses a join. The error frame has its fields. */
  readonly ban: KnownBan | undefined

  constructor (
    code: ErrorCode, { detail, retryAfterMs, ban }: { detail?: string, retryAfterMs?: number | undefined, ban?: KnownBan | undefined } = {}
  ) {
    const { message, status, retryAfterMs: usual }: ErrorKind = errorTable[code]
    super(detail === undefined ? message : message.replace(/[A-Z]+$/, () => detail))
    this.code = code
    this.statusCode = status
    this.retryAfterMs = retryAfterMs ?? usual
    this.detail = detail
    this.ban = ban
  }
}

/** Close codes and reasons. 4000–4499: reconnect with full jitter; 4500–4999: do not reconnect before something has changed. */
export const closeTable = {
  unsupported_data: { code: 1003, reason: 'binary not supported' },
  message_too_big: { code: 1009, reason: 'message too big' },
  service_restart: { code: 1012, reason: 'service restart' },
  slow_consumer: { code: 4400, reason: 'slow consumer' },
  token_expired: { code: 4401, reason: 'token expired' },
  connection_timeout: { code: 4402, reason: 'connection timeout' },
  no_pong: { code: 4403, reason: 'no pong' },
  authentication_timeout: { code: 4500, reason: 'authentication timeout' },
  protocol_violation: { code: 4501, reason: 'protocol violation' },
  too_many_frames: { code: 4502, reason: 'too many frames' },
  disconnected: { code: 4503, reason: 'disconnected by administrator' },
  session_revoked: { code: 4504, reason: 'session revoked' }
} as const

export type CloseName = keyof typeof closeTable
