import { ChannelName, MessageId } from '../schemas/common.ts'
import { Reaction, ReactionAdded, ReactionReceipt, ReactionRemoved } from '../schemas/reaction.ts'
import { command, type CommandRow } from './row.ts'

const shared = {
  fields: { channel: ChannelName, id: MessageId, reaction: Reaction },
  who: 'member',
  subscribed: true,
  errors: ['channel_not_found', 'not_in_channel', 'banned', 'muted', 'blocked', 'too_many_reactions'],
  result: ReactionReceipt
} satisfies Partial<CommandRow>
const tag = 'messages'
const route = '/api/channels/:name/messages/:id/reactions/:reaction'

/** Commands that add a reaction to a message and take it back. Each change is an entry of the channel's sequence [P40]. */
export const commands = {
  add_reaction: command({
    ...shared,
    about: 'Adds the user\'s reaction to a message [P40].',
    action: 'reaction_added',
    notices: { reaction_added: ReactionAdded },
    rest: { route: `PUT ${route}`, tag, summary: 'React to a message', status: 200 },
    run: ({ messages }, actor, { channel, id, reaction }) => messages.react(actor, channel, id, reaction, true)
  }),

  remove_reaction: command({
    ...shared,
    about: 'Takes the user\'s reaction to a message back [P40].',
    action: 'reaction_removed',
    notices: { reaction_removed: ReactionRemoved },
    rest: { route: `DELETE ${route}`, tag, summary: 'Take a reaction back', status: 204 },
    run: ({ messages }, actor, { channel, id, reaction }) => messages.react(actor, channel, id, reaction, false)
  })
}
