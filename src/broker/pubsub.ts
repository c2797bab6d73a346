/**
 * The commands of publish/subscribe, and the event that brings a message. In Redis Cluster, the sharded ones are used: the name of a
 * channel has a slot, and only the nodes that have it carry the messages.
 */
export const PLAIN = {
  publish: 'publish', subscribe: 'subscribe', unsubscribe: 'unsubscribe', listeners: 'NUMSUB', message: 'messageBuffer'
} as const
export const SHARDED = {
  publish: 'spublish', subscribe: 'ssubscribe', unsubscribe: 'sunsubscribe', listeners: 'SHARDNUMSUB', message: 'smessageBuffer'
} as const
export type PubSub = typeof PLAIN | typeof SHARDED
