import type { Errors } from './errors.ts'

const plural = (count: number, one: string, many: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : many}`
const listOf = (parts: string[]): string => new Intl.ListFormat('en').format(parts)
const duration = (seconds: number): string =>
  seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')} min`

export const en = {
  common: {
    app: 'Parley',
    cancel: 'Cancel',
    close: 'Close',
    save: 'Save',
    retry: 'Try again',
    more: 'More',
    loading: 'Loading …',
    back: 'Back',
    you: 'you',
    somethingWrong: 'Something went wrong',
    notFound: 'There is nothing here.',
    people: (count: number) => plural(count, 'person', 'people')
  },
  entry: {
    welcome: 'Talk together',
    logIn: 'Log in',
    register: 'Create account',
    logOut: 'Log out',
    email: 'Email',
    password: 'Password',
    name: 'Name',
    newHere: 'New here?',
    haveAccount: 'Already have an account?'
  },
  shell: {
    channels: 'Channels',
    directs: 'Direct messages',
    invitations: 'Invitations',
    browse: 'Browse channels',
    settings: 'Settings',
    skipToMain: 'Skip to the conversation',
    unread: (count: number) => plural(count, 'unread message', 'unread messages')
  },
  channel: {
    placeholder: (channel: string) => `Message ${channel}`,
    send: 'Send',
    log: 'New messages',
    today: 'Today',
    yesterday: 'Yesterday',
    new: 'New',
    gap: 'Messages are missing here. They are being loaded.',
    beginning: (channel: string) => `This is the beginning of #${channel}. Say hello.`,
    directBeginning: (name: string) => `This is the beginning of your conversation with ${name}.`,
    jumpToEnd: 'Jump to latest',
    newMessages: (count: number) => `${count > 99 ? '99+' : count} new ${count === 1 ? 'message' : 'messages'}`,
    olderFailed: 'Older messages could not be loaded.',
    noMessage: 'This message does not exist, or not any more.',
    messageBy: (name: string, time: string) => `${name}, ${time}`,
    deleted: 'This message was deleted.',
    onlyData: 'This message has data for a program, and no text.',
    edited: '(edited)',
    originalGone: 'The original message is not there any more.',
    showOriginal: 'Show the original message',
    actions: 'Actions',
    react: 'Add a reaction',
    ownReaction: 'Another emoji or word',
    reactedBy: (names: string[], others: number, reaction: string) =>
      `${listOf(others > 0 ? [...names, plural(others, 'other', 'others')] : names)} reacted with ${reaction}`,
    someone: 'someone',
    reply: 'Reply',
    replyingTo: 'Reply to',
    cancelReply: 'Do not reply',
    edit: 'Edit',
    editing: 'Edit the message',
    copyText: 'Copy text',
    copyLink: 'Copy link',
    copied: 'Copied.',
    report: 'Report',
    reportTitle: 'Report this message?',
    reportText: (name: string) => `The moderators will see the message by ${name} as it is now, and your reason. ${name} is not told.`,
    reason: 'Reason (optional)',
    reported: 'The moderators have your report. Thank you.',
    delete: 'Delete',
    deleteTitle: 'Delete this message?',
    deleteText: 'It is gone for everyone, for good.',
    failedMessage: 'Message that was not sent',
    waitingMessage: 'Message that waits to be sent',
    notSent: 'Not sent.',
    discard: 'Discard',
    typing: (names: string[]) => names.length > 3
      ? `${names.length} people are typing …`
      : `${listOf(names)} ${names.length === 1 ? 'is' : 'are'} typing …`,
    slowMode: (seconds: number) => `Slow mode: you can write again in ${duration(seconds)}.`,
    left: (count: number) => `${count} characters left`,
    tooLong: (count: number) => `${plural(count, 'character', 'characters')} too long`,
    muted: (until: string) => `You are muted here until ${until}. You can read, but not write.`,
    banned: (channel: string, until: string | undefined, reason: string | undefined) =>
      `You are banned from #${channel}${until ? ` until ${until}` : ''}.${reason ? ` Reason: ${reason}` : ''}`,
    notIn: (channel: string) => `You are no longer in #${channel}.`,
    joinAgain: 'Join again',
    noChannel: (channel: string) => `There is no channel #${channel}, or it is not open to you.`,
    notAllowed: (channel: string) => `#${channel} is not open to you.`
  },
  people: {
    here: 'Here now'
  },
  settings: {
    theme: 'Theme',
    system: 'System',
    light: 'Light',
    dark: 'Dark',
    language: 'Language'
  },
  admin: {
    title: 'Administration'
  },
  /** The client's and the server's errors by their codes, as sentences. Errors that are missing here show the server's own text. */
  errors: {
    offline: 'There is no connection to the server.',
    timeout: 'The server did not answer in time.',
    outbox_full: 'Too many messages wait to be sent. Wait until some are.',
    authentication_failed: 'The email or the password is wrong.',
    rate_limited: 'That was too much at once. Wait a moment.'
  } as Errors
}
