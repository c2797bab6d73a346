import { AppError, closeTable, errorTable } from '../src/errors.ts'
import { t } from './tap.ts'

t.test('[P8] [P9] every code has its exact text and REST status', async t => {
  const table = Object.entries(errorTable).map(([code, { message, status }]) => `${code} | ${message} | ${status}`)
  t.same(table, [
    'invalid_json | Invalid JSON format | 400',
    'invalid_frame | Invalid message: REASON | 400',
    'unknown_type | Unknown message type: TYPE | 400',
    'unknown_command | Unknown command: COMMAND | 400',
    'not_authenticated | Not authenticated | 401',
    'authentication_failed | Authentication failed | 401',
    'token_required | Token required | 401',
    'channel_required | Channel name required | 400',
    'message_required | Message required | 400',
    'user_required | User ID required | 400',
    'invalid_channel_name | Invalid channel name | 400',
    'invalid_channel_type | Invalid channel type | 400',
    'channel_not_found | Channel not found | 404',
    'channel_exists | Channel already exists | 409',
    'user_not_found | User not found | 404',
    'not_in_channel | Not in channel | 403',
    'not_authorized | Not authorized | 403',
    'banned | Banned from channel | 403',
    'muted | Muted in channel | 403',
    'channel_full | Maximum users per channel exceeded | 409',
    'too_many_channels | Maximum channels per user exceeded | 409',
    'too_many_invitations | Maximum invitations per user exceeded | 409',
    'blocked | Blocked by user | 403',
    'too_many_blocks | Maximum blocks per user exceeded | 409',
    'message_not_found | Message not found | 404',
    'too_many_reactions | Too many reactions | 409',
    'last_admin | Last administrator | 409',
    'message_too_long | Message too long | 400',
    'rate_limited | Too many requests | 429',
    'busy | Server busy | 503',
    'unavailable | Service unavailable | 503',
    'internal | Internal server error | 500',
    'invalid_request | Invalid request: REASON | 400',
    'not_found | Not found | 404',
    'registration_closed | Registration closed | 403',
    'invalid_invitation_code | Invalid invitation code | 403',
    'invitation_code_not_found | Invitation code not found | 404',
    'cross_origin | Not from a page of this server | 403',
    'email_not_verified | Email not verified | 403',
    'invalid_code | Invalid code | 403',
    'report_not_found | Report not found | 404',
    'report_settled | Report already settled | 409',
    'login_not_found | Login not found | 404',
    'connection_not_found | Connection not found | 404',
    'handle_taken | Handle already taken | 409',
    'email_taken | Email already registered | 409',
    'payload_too_large | Payload too large | 413',
    'unsupported_media_type | Unsupported media type | 415'
  ])
})

t.test('[P1] [P4] [P11]–[P15] every close code has its exact reason', async t => {
  t.same(Object.values(closeTable).map(({ code, reason }) => `${code} ${reason}`), [
    '1003 binary not supported',
    '1009 message too big',
    '1012 service restart',
    '4400 slow consumer',
    '4401 token expired',
    '4402 connection timeout',
    '4403 no pong',
    '4500 authentication timeout',
    '4501 protocol violation',
    '4502 too many frames',
    '4503 disconnected by administrator',
    '4504 session revoked'
  ])
})

t.test('[P9] a detail replaces the placeholder in the text of its error, whatever characters it has', async t => {
  t.equal(new AppError('invalid_frame', { detail: '$& $1' }).message, 'Invalid message: $& $1')
  t.equal(new AppError('unknown_type', { detail: '' }).message, 'Unknown message type: ')
})
