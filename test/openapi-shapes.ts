/** The fields of requests and answers in a short form: `?` marks an optional field, brackets mark a list. */
const user = '{ id, email, name, role, created_at }'
const login = `{ user ${user}, access_token, token_type, expires_in, refresh_token, refresh_expires_in }`
const channel = '{ id, name, channel_type, created_by, created_at, user_count, last_seq, topic, slow_mode, retention }'
const listed = channel.replace(' }', ', read_seq?, unread_count?, last_message_at? }')
const message = '{ id, seq, channel, user_id, username, message, timestamp, client_id?, reply_to?, data?, edited_at?, deleted? }'
const receipt = '{ channel, id, seq, timestamp, client_id?, duplicate? }'
const account = '{ id, email, name, role, created_at, disabled_at }'
const log = '{ log [{ id, actor_id, action, target_id, channel_id, channel, reason, expires_at, created_at }], next_cursor }'
const codeFields = 'id, uses, uses_left, expires_at, channels [], created_by, created_at'
const code = `{ ${codeFields} }`
const newCode = `{ ${codeFields}, code }`

interface Shape { query?: string, body?: string, answers: Record<string, string> }

/** Every route of the OpenAPI document except the routes of commands. */
export const shapes: Record<string, Shape> = {
  'POST /api/auth/register': { body: '{ email, name, password, invitation_code? }', answers: { 201: login } },
  'POST /api/auth/login': { body: '{ email, password }', answers: { 200: login } },
  'POST /api/auth/refresh': { body: '{ refresh_token }', answers: { 200: login } },
  'POST /api/auth/logout': { body: '{ refresh_token }', answers: { 204: '' } },
  'GET /api/me': { answers: { 200: user } },
  'PATCH /api/me': { body: '{ name?, password?, current_password? }', answers: { 200: user } },
  'DELETE /api/me': { body: '{ password }', answers: { 204: '' } },
  'GET /api/me/invitations': {
    query: 'limit cursor',
    answers: { 200: '{ invitations [{ channel, channel_id, channel_type, invited_by, username, created_at }], next_cursor }' }
  },
  'GET /api/me/logins': {
    query: 'limit cursor', answers: { 200: '{ logins [{ id, device, address, created_at, last_used_at, current }], next_cursor }' }
  },
  'DELETE /api/me/logins': { answers: { 204: '' } },
  'DELETE /api/me/logins/{id}': { answers: { 204: '' } },
  'GET /api/channels': { query: 'limit cursor type joined', answers: { 200: `{ channels [${listed}], next_cursor }` } },
  'GET /api/channels/{name}': { answers: { 200: channel } },
  'GET /api/channels/{name}/members': {
    query: 'limit cursor', answers: { 200: '{ members [{ user_id, username, joined_at, read_seq? }], next_cursor }' }
  },
  'GET /api/channels/{name}/online': {
    query: 'limit cursor', answers: { 200: '{ users [{ user_id, username }], count, next_cursor }' }
  },
  'GET /api/channels/{name}/messages': {
    query: 'before after around limit',
    answers: {
      200: `{ messages [${message}], channel_id, last_seq, last_id }`
    }
  },
  'GET /api/channels/{name}/messages/{id}': { answers: { 200: message } },
  'POST /api/channels/{name}/messages': { body: '{ message?, client_id?, reply_to?, data? }', answers: { 200: receipt, 201: receipt } },
  'PUT /api/channels/{name}/read': { body: '{ seq }', answers: { 200: '{ channel, seq }' } },
  'POST /api/channels/{name}/signals': { body: '{ event, data? }', answers: { 204: '' } },
  'GET /api/channels/{name}/bans': {
    query: 'limit cursor',
    answers: { 200: '{ bans [{ user_id, username, reason, banned_by, expires_at, created_at }], next_cursor }' }
  },
  'GET /api/channels/{name}/mutes': {
    query: 'limit cursor',
    answers: { 200: '{ mutes [{ user_id, username, muted_by, expires_at, created_at }], next_cursor }' }
  },
  'GET /api/channels/{name}/moderators': {
    query: 'limit cursor', answers: { 200: '{ moderators [{ user_id, username, created_at }], next_cursor }' }
  },
  'GET /api/channels/{name}/log': { query: 'limit cursor', answers: { 200: log } },
  'GET /api/admin/users': { query: 'limit cursor query', answers: { 200: `{ users [${account}], next_cursor }` } },
  'PATCH /api/admin/users/{id}': { body: '{ role?, disabled? }', answers: { 200: account } },
  'DELETE /api/admin/users/{id}': { answers: { 204: '' } },
  'DELETE /api/admin/users/{id}/connections': { answers: { 204: '' } },
  'POST /api/admin/announcements': { body: '{ message }', answers: { 204: '' } },
  'GET /api/admin/log': { query: 'limit cursor', answers: { 200: log } },
  'POST /api/admin/invitation-codes': { body: '{ uses?, expires_in?, channels? [] }', answers: { 201: newCode } },
  'GET /api/admin/invitation-codes': { query: 'limit cursor', answers: { 200: `{ invitation_codes [${code}], next_cursor }` } },
  'DELETE /api/admin/invitation-codes/{id}': { answers: { 204: '' } },
  'GET /healthz': { answers: { 200: '{ status }' } },
  'GET /readyz': { answers: { 200: '{ status, database, bus }', 503: '{ status, database, bus }' } }
}
