/** The fields of requests and answers in a short form: `?` marks an optional field, brackets mark a list. */
const user = '{ id, email, email_verified, name, handle, role, created_at }'
const login = `{ user ${user}, access_token, token_type, expires_in, refresh_token?, refresh_expires_in }`
const peer = 'peer? { user_id, username, handle }'
const channel = `{ id, name, channel_type, created_by, created_at, user_count, last_seq, topic, slow_mode, retention, ${peer} }`
const shown = 'data?, reactions? [{ reaction, count, user_ids [] }], reactions_seq?, edited_at?, deleted?'
const message = `{ id, seq, channel, user_id, username, message, timestamp, client_id?, reply_to?, ${shown} }`
const listed = channel.replace(/ }$/, ', read_seq?, unread_count?, last_message_at? }')
const receipt = '{ channel, id, seq, timestamp, client_id?, duplicate? }'
const account = '{ id, email, email_verified, name, handle, role, created_at, disabled_at }'
const log = '{ log [{ id, actor_id, action, target_id, channel_id, channel, reason, expires_at, created_at }], next_cursor }'
const found = '{ id, name, handle, created_at, online }'
const codeFields = 'id, uses, uses_left, expires_at, channels [], created_by, created_at'
const code = `{ ${codeFields} }`
const newCode = `{ ${codeFields}, code }`

const report = '{ id, channel, channel_id, message_id, seq, user_id, username, handle, message, data?, sent_at, reported_by, reason, ' +
  'created_at, resolution, settled_by, settled_at }'
const reports = `{ reports [${report}], next_cursor }`

const flow = '{ total, per_second }'
const spread = '{ p50_ms, p99_ms }'
const stats = '{ instance, started_at, at, window_ms, connections { open, max, authenticated, behind, opened_total }, users_online, ' +
  `subscriptions, channels, publishes ${flow}, deliveries ${flow}, errors ${flow}, delivery ${spread}, commit ${spread}, ` +
  'queue { messages, oldest_ms }, inbound_bytes, outbound_bytes, slow_consumers_total, gaps { found_total, repaired_total }, ' +
  'database { kind, up, full, ping_ms, pool { used, idle, waiting, max } }, bus { driver, up, dropped_total }, ' +
  'event_loop { p50_ms, p99_ms, utilization }, memory { rss_bytes, heap_used_bytes, heap_limit_bytes } }'

interface Shape { query?: string, body?: string, answers: Record<string, string> }

/** Every route of the OpenAPI document except the routes of commands. */
export const shapes: Record<string, Shape> = {
  'POST /api/auth/register': {
    body: '{ email, name, handle?, password, invitation_code?, cookie? }', answers: { 201: login, 202: `{ user ${user} }` }
  },
  'POST /api/auth/login': { body: '{ email, password, cookie? }', answers: { 200: login } },
  'POST /api/auth/refresh': { body: '{ refresh_token?, cookie? }', answers: { 200: login } },
  'POST /api/auth/logout': { body: '{ refresh_token? }', answers: { 204: '' } },
  'POST /api/auth/forgot': { body: '{ email }', answers: { 204: '' } },
  'POST /api/auth/reset': { body: '{ code, password }', answers: { 204: '' } },
  'POST /api/auth/verify': { body: '{ code }', answers: { 204: '' } },
  'GET /api/me': { answers: { 200: user } },
  'PATCH /api/me': { body: '{ name?, handle?, password?, current_password? }', answers: { 200: user } },
  'DELETE /api/me': { body: '{ password }', answers: { 204: '' } },
  'POST /api/me/verification': { answers: { 204: '' } },
  'GET /api/me/export': { answers: { 200: '' } },
  'GET /api/me/invitations': {
    query: 'limit cursor',
    answers: { 200: '{ invitations [{ channel, channel_id, channel_type, invited_by, username, handle, created_at }], next_cursor }' }
  },
  'GET /api/me/logins': {
    query: 'limit cursor', answers: { 200: '{ logins [{ id, device, address, created_at, last_used_at, current }], next_cursor }' }
  },
  'DELETE /api/me/logins': { answers: { 204: '' } },
  'DELETE /api/me/logins/{id}': { answers: { 204: '' } },
  'GET /api/me/blocks': { query: 'limit cursor', answers: { 200: '{ blocks [{ user_id, username, handle, created_at }], next_cursor }' } },
  'PUT /api/me/blocks/{user_id}': { answers: { 200: '{ user_id }' } },
  'DELETE /api/me/blocks/{user_id}': { answers: { 204: '' } },
  'POST /api/directs': { body: '{ user_id }', answers: { 200: channel, 201: channel } },
  'GET /api/channels': { query: 'limit cursor type joined', answers: { 200: `{ channels [${listed}], next_cursor }` } },
  'GET /api/channels/{name}': { answers: { 200: channel } },
  'GET /api/channels/{name}/members': {
    query: 'limit cursor', answers: { 200: '{ members [{ user_id, username, handle, joined_at, read_seq? }], next_cursor }' }
  },
  'GET /api/channels/{name}/online': {
    query: 'limit cursor', answers: { 200: '{ users [{ user_id, username, handle }], count, next_cursor }' }
  },
  'GET /api/channels/{name}/messages': {
    query: 'before after around limit',
    answers: {
      200: `{ messages [${message}], channel_id, last_seq, last_id }`
    }
  },
  'GET /api/channels/{name}/messages/{id}': { answers: { 200: message } },
  'GET /api/messages': { query: 'limit cursor query channel', answers: { 200: `{ messages [${message}], next_cursor }` } },
  'POST /api/channels/{name}/messages': { body: '{ message?, client_id?, reply_to?, data? }', answers: { 200: receipt, 201: receipt } },
  'PUT /api/channels/{name}/read': { body: '{ seq }', answers: { 200: '{ channel, seq }' } },
  'POST /api/channels/{name}/signals': { body: '{ event, data? }', answers: { 204: '' } },
  'GET /api/channels/{name}/bans': {
    query: 'limit cursor',
    answers: { 200: '{ bans [{ user_id, username, handle, reason, banned_by, expires_at, created_at }], next_cursor }' }
  },
  'GET /api/channels/{name}/mutes': {
    query: 'limit cursor',
    answers: { 200: '{ mutes [{ user_id, username, handle, muted_by, expires_at, created_at }], next_cursor }' }
  },
  'GET /api/channels/{name}/moderators': {
    query: 'limit cursor', answers: { 200: '{ moderators [{ user_id, username, handle, created_at }], next_cursor }' }
  },
  'GET /api/channels/{name}/log': { query: 'limit cursor', answers: { 200: log } },
  'GET /api/channels/{name}/reports': { query: 'limit cursor status', answers: { 200: reports } },
  'PATCH /api/channels/{name}/reports/{id}': { body: '{ resolution }', answers: { 200: report } },
  'GET /api/admin/reports': { query: 'limit cursor status', answers: { 200: reports } },
  'PATCH /api/admin/reports/{id}': { body: '{ resolution }', answers: { 200: report } },
  'GET /api/users': { query: 'query limit cursor', answers: { 200: `{ users [${found}], next_cursor }` } },
  'GET /api/users/{id}': { answers: { 200: found } },
  'GET /api/admin/users': { query: 'limit cursor query', answers: { 200: `{ users [${account}], next_cursor }` } },
  'PATCH /api/admin/users/{id}': { body: '{ role?, disabled? }', answers: { 200: account } },
  'DELETE /api/admin/users/{id}': { answers: { 204: '' } },
  'DELETE /api/admin/users/{id}/connections': { answers: { 204: '' } },
  'POST /api/admin/users/{id}/reset': { answers: { 201: '{ code, link, expires_at }' } },
  'POST /api/admin/announcements': { body: '{ message }', answers: { 204: '' } },
  'GET /api/admin/log': { query: 'limit cursor', answers: { 200: log } },
  'GET /api/admin/messages': { query: 'limit cursor query channel', answers: { 200: `{ messages [${message}], next_cursor }` } },
  'POST /api/admin/invitation-codes': { body: '{ uses?, expires_in?, channels? [] }', answers: { 201: newCode } },
  'GET /api/admin/invitation-codes': { query: 'limit cursor', answers: { 200: `{ invitation_codes [${code}], next_cursor }` } },
  'DELETE /api/admin/invitation-codes/{id}': { answers: { 204: '' } },
  'GET /api/admin/connections': {
    query: 'limit cursor user_id',
    answers: {
      200: '{ instance, connections [{ id, user_id, username, handle, is_guest, address, since, channels, waiting_requests, ' +
        'queued_bytes, slow_since, last_taken_at, state }], next_cursor }'
    }
  },
  'DELETE /api/admin/connections/{id}': { answers: { 204: '' } },
  'GET /api/admin/stats': { answers: { 200: stats } },
  'GET /healthz': { answers: { 200: '{ status }' } },
  'GET /readyz': { answers: { 200: '{ status, database, bus }', 503: '{ status, database, bus }' } }
}
