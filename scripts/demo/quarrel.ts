import { DAY, HOUR, MINUTE } from './calendar.ts'
import type { Account, Channel, Entry, LogLine, Message, Report } from './model.ts'

/** Milliseconds before the end of the history at which the quarrel begins: the ban is then still in force. */
export const QUARREL_AGO = 5 * HOUR

export type Role = 'tabs' | 'spaces' | 'peace' | 'witness' | 'moderator'

/** `minute`: minutes since the beginning. `replies`: the step of the message that it answers. */
type Step = { minute: number } & (
  | { by: Role, text: string, replies?: number }
  | { act: 'react', by: Role, to: number, reaction: string }
  | { act: 'report', by: Role, to: number, reason: string, settledAt: number, resolution: 'removed' | 'sanctioned' | 'dismissed' }
  | { act: 'delete', to: number }
  | { act: 'mute', target: Role, minutes: number }
  | { act: 'ban', target: Role, reason: string }
)

/** The quarrel: a question, two camps, a warning, a mute, a deletion, a ban for a day, and the peace after it. */
const steps: Step[] = [
  /* 0 */ { minute: 0, by: 'tabs', text: 'I reformatted the importer with tabs. It is in #204, 1,200 lines, please wave it through.' },
  /* 1 */ { minute: 2, by: 'spaces', text: 'We indent with two spaces. It is in the guide, first page.', replies: 0 },
  /* 2 */ { minute: 3, by: 'tabs', text: 'The guide is wrong. With tabs everybody sees the width that they like.', replies: 1 },
  /* 3 */ { minute: 4, by: 'spaces', text: 'And nothing lines up anywhere, ever again.' },
  /* 4 */ { minute: 5, by: 'peace', text: 'You both have a point. Could we split the change, so that the real fix can go in today?' },
  /* 5 */ { minute: 5, act: 'react', by: 'witness', to: 4, reaction: '💯' },
  /* 6 */ { minute: 7, by: 'tabs', text: 'No. It is a matter of principle.', replies: 4 },
  /* 7 */ { minute: 8, by: 'spaces', text: 'Principle! You renamed the folder to `Tabs` last month.' },
  /* 8 */ { minute: 8, act: 'react', by: 'peace', to: 7, reaction: '😬' },
  /* 9 */ { minute: 9, by: 'tabs', text: 'SPACES ARE FOR PEOPLE WHO CANNOT FIND THE KEY' },
  /* 10 */ { minute: 10, by: 'spaces', text: 'TABS ARE FOR PEOPLE WHO CANNOT COUNT TO TWO' },
  /* 11 */ {
    minute: 12, by: 'moderator',
    text: 'A warning to both of you: argue about the code, not about people, and without capitals please. The question itself is welcome.'
  },
  /* 12 */ { minute: 12, act: 'react', by: 'peace', to: 11, reaction: '🙏' },
  /* 13 */ { minute: 13, by: 'spaces', text: 'I will stop when the tabs stop.' },
  /* 14 */ { minute: 14, by: 'spaces', text: 'two spaces two spaces two spaces two spaces two spaces two spaces two spaces' },
  /* 15 */ { minute: 15, act: 'mute', target: 'spaces', minutes: 30 },
  /* 16 */ { minute: 16, by: 'moderator', text: 'Half an hour of quiet for one side. Have a cup of tea, we keep your place.' },
  /* 17 */ { minute: 18, by: 'tabs', text: 'So I have won. Whoever indents with spaces should not be let near a keyboard, or a kettle.' },
  /* 18 */ { minute: 19, act: 'report', by: 'witness', to: 17, reason: 'This goes too far.', settledAt: 24, resolution: 'removed' },
  /* 19 */ { minute: 20, by: 'peace', text: 'That is not a nice thing to say while somebody cannot answer.', replies: 17 },
  /* 20 */ { minute: 21, act: 'react', by: 'witness', to: 19, reaction: '💯' },
  /* 21 */ { minute: 23, act: 'delete', to: 17 },
  /* 22 */ { minute: 26, by: 'tabs', text: 'Deleting me proves my point! I will post it again, and again, and with tabs.' },
  /* 23 */ {
    minute: 27, act: 'report', by: 'peace', to: 22, reason: 'The warning was clear, I think.', settledAt: 30, resolution: 'sanctioned'
  },
  /* 24 */ {
    minute: 29, act: 'ban', target: 'tabs', reason: 'Went on insulting people about indentation after a warning. Welcome back tomorrow.'
  },
  /* 25 */ {
    minute: 31, by: 'moderator',
    text: 'One day of rest for the other side as well. Nobody is thrown out for an opinion about white space, only for how it is said.'
  },
  /* 26 */ { minute: 32, act: 'react', by: 'witness', to: 25, reaction: '❤️' },
  /* 27 */ { minute: 33, act: 'react', by: 'peace', to: 25, reaction: '❤️' },
  /* 28 */ { minute: 36, by: 'witness', text: 'Suggestion: a formatter decides, and we never speak of it again.' },
  /* 29 */ { minute: 37, act: 'react', by: 'peace', to: 28, reaction: '💯' },
  /* 30 */ { minute: 38, act: 'react', by: 'moderator', to: 28, reaction: '💯' },
  /* 31 */ { minute: 40, by: 'peace', text: 'I set one up tonight, with a check in the build.', replies: 28 },
  /* 32 */ { minute: 84, by: 'spaces', text: 'I am sorry, all of you. I had tea. I would even accept a tab now, a small one.' },
  /* 33 */ { minute: 85, act: 'react', by: 'peace', to: 32, reaction: '❤️' },
  /* 34 */ { minute: 86, act: 'react', by: 'witness', to: 32, reaction: '😂' },
  /* 35 */ { minute: 88, by: 'moderator', text: 'Thank you for saying that. Water under the bridge.', replies: 32 },
  /* 36 */ { minute: 95, by: 'peace', text: 'The formatter is in. It has chosen. Nobody look at what.' },
  /* 37 */ { minute: 96, act: 'react', by: 'spaces', to: 36, reaction: '😂' },
  /* 38 */ { minute: 97, act: 'react', by: 'witness', to: 36, reaction: '🎉' }
]

/** How many messages the quarrel has. */
export const QUARREL_MESSAGES = steps.filter(step => !('act' in step)).length

/**
 * Lets the quarrel break out in a channel: adds its bans, mutes and their effects to the channel.
 * @returns its entries, without numbers, and its reports and lines of the moderation log.
 */
export function quarrel (
  channel: Channel, people: Record<Role, Account>, start: number, newId: (at: number) => string
): { entries: Entry[], reports: Report[], log: LogLine[] } {
  const entries: Entry[] = []
  const reports: Report[] = []
  const log: LogLine[] = []
  const said = new Map<number, Message>()
  const moderator = people.moderator
  for (const [index, step] of steps.entries()) {
    // The seconds differ, so that nothing looks as if a clock had said it.
    const at = start + step.minute * MINUTE + (index * 7919) % 50_000 + index
    if (!('act' in step)) {
      const replyTo = step.replies === undefined ? undefined : said.get(step.replies)
      const message: Message = {
        kind: 'message', id: newId(at), at, by: people[step.by], seq: 0, text: step.text, replyTo, editedAt: undefined, deletedAt: undefined
      }
      said.set(index, message)
      entries.push(message)
    } else if (step.act === 'react') {
      const { reaction, to, by } = step
      entries.push({ kind: 'reaction', at, by: people[by], seq: 0, message: said.get(to)!, reaction, added: true, current: true })
    } else if (step.act === 'report') {
      const settledAt = start + step.settledAt * MINUTE + 50_000
      const message = said.get(step.to)!
      const id = newId(at)
      const settled = { resolution: step.resolution, by: moderator, at: settledAt }
      reports.push({ id, channel, message, by: people[step.by], at, reason: step.reason, settled })
      log.push({ at: settledAt, by: moderator, action: `settle_report_${step.resolution}`, target: message.by, channel, reason: id })
    } else if (step.act === 'delete') {
      const message = said.get(step.to)!
      message.deletedAt = at
      entries.push({ kind: 'deleted', at, by: moderator, seq: 0, message })
      log.push({ at, by: moderator, action: 'delete_message', target: message.by, channel })
    } else {
      const sanctioned = people[step.target]
      const isBan = step.act === 'ban'
      const sanction = { account: sanctioned, by: moderator, at, expiresAt: at + (isBan ? DAY : step.minutes * MINUTE) }
      if (isBan) {
        channel.bans.push({ ...sanction, reason: step.reason })
        channel.members = channel.members.filter(({ account }) => account !== sanctioned)
      } else {
        channel.mutes.push(sanction)
      }
      channel.aclVersion++
      log.push({
        at, by: moderator, action: isBan ? 'ban_user' : 'mute_user', target: sanctioned, channel, expiresAt: sanction.expiresAt,
        ...isBan && { reason: step.reason }
      })
    }
  }
  return { entries, reports, log }
}
