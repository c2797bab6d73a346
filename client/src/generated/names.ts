// Made by `npm run generate` from src/schemas, src/requests and src/errors.ts. Do not edit.

/** The version of the protocol that this client speaks. */
export const PROTOCOL_VERSION = 1
/** The WebSocket subprotocol that this client offers. */
export const SUBPROTOCOL = 'parley.v1'
/** The requests that are named by a frame's `type`. All others are commands. */
export const requestTypes: readonly string[] = ['authenticate', 'heartbeat', 'join_channel', 'leave_channel', 'unsubscribe_channel', 'send_message', 'signal', 'mark_read', 'channel_list', 'user_list', 'open_direct', 'block_user', 'unblock_user', 'watch_stats', 'unwatch_stats', 'watch_trace']
/** Codes of errors after which the same request may succeed. */
export const againCodes: readonly string[] = ['muted', 'channel_full', 'too_many_invitations', 'rate_limited', 'busy', 'unavailable']
