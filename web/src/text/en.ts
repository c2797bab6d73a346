import type { Errors } from './errors.ts'

const plural = (count: number, one: string, many: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : many}`

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
    notLoaded: 'This part of the app could not be loaded.',
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
    conversations: 'Conversations',
    channels: 'Channels',
    directs: 'Direct messages',
    invitations: 'Invitations',
    browse: 'Browse channels',
    settings: 'Settings',
    skipToMain: 'Skip to the conversation',
    unread: (count: number) => count > 99 ? 'more than 99 unread messages' : plural(count, 'unread message', 'unread messages'),
    draft: 'Draft',
    waiting: 'Messages wait to be sent',
    failed: 'A message could not be sent',
    online: 'online',
    guest: 'Guest',
    noChannels: 'You are in no channel yet.',
    noDirects: 'Nobody yet. Write to somebody with the plus.',
    invitedBy: (name: string) => `${name} invites you`,
    accept: (channel: string) => `Join ${channel}`,
    decline: (channel: string) => `Decline ${channel}`,
    me: 'Your menu',
    lightTheme: 'Light theme',
    darkTheme: 'Dark theme',
    offline: 'This channel opens as soon as there is a connection.'
  },
  browse: {
    find: 'Find a channel by name or topic',
    joined: 'Joined',
    join: (channel: string) => `Join ${channel}`,
    joinShort: 'Join',
    joinChannel: 'Join channel',
    decline: 'Decline',
    notIn: 'You are not in this channel.',
    latest: 'Latest messages',
    nothingToShow: 'Join to see what is said here.',
    none: 'There is no channel yet. Make the first one.',
    noneFound: (query: string) => `No channel fits “${query}”.`,
    noChannel: 'No such channel',
    unknown: 'This channel does not exist, or you are not invited to it.'
  },
  create: {
    title: 'Create channel',
    name: 'Name',
    rules: 'Small letters, digits, - and _. Blanks become dashes.',
    wrongCharacter: (character: string) => `“${character}” cannot be in a name. Use a–z, 0–9, - and _.`,
    wrongStart: 'A name begins with a letter or a digit.',
    reserved: 'Names that begin with admin-, moderator- or direct- are reserved.',
    taken: 'There is a channel of this name already.',
    type: 'Who may join',
    public: 'Public',
    publicAbout: 'Everybody finds it, reads it and joins.',
    private: 'Private',
    privateAbout: 'Only people who are invited know of it.',
    topic: 'Topic (optional)',
    act: 'Create'
  },
  direct: {
    title: 'New direct message',
    who: 'Name or handle',
    nobody: (query: string) => `Nobody’s name or handle begins with “${query}”.`,
    alone: 'There is nobody else here yet.',
    exact: 'Handle',
    exactHint: 'The person’s exact handle, such as @ann.',
    open: 'Write',
    failed: 'Direct message',
    unknown: 'There is nobody of this name, or their account is gone.',
    self: 'You cannot write to this person directly.'
  },
  invite: {
    title: (channel: string) => `Invite people to ${channel}`,
    act: 'Invite',
    invited: 'Invited',
    hint: 'Choose a person to invite them. They may join or decline.',
    done: (name: string) => `${name} is invited.`
  },
  channelMenu: {
    title: 'Channel menu',
    people: (count: number) => `People: ${count} here now`,
    peopleHere: 'People',
    invite: 'Invite people',
    settings: 'Channel settings',
    search: 'Search in this channel',
    copyLink: 'Copy link',
    copied: 'The link is copied.',
    markRead: 'Mark as read',
    leave: 'Leave channel',
    close: 'Close conversation',
    left: (channel: string) => `You have left ${channel}.`,
    leaveTitle: (channel: string) => `Leave ${channel}?`,
    leavePrivate: 'This channel is private: you can only come back if somebody invites you again.'
  },
  channelSettings: {
    title: (channel: string) => `Settings of ${channel}`,
    topic: 'Topic',
    slowMode: 'Slow mode',
    slowModeHint: 'How long a member waits between two messages. Moderators do not wait.',
    seconds: (seconds: number) => {
      if (seconds === 0) return 'Off'
      if (seconds < 60) return plural(seconds, 'second', 'seconds')
      if (seconds < 3600) return plural(Math.round(seconds / 60), 'minute', 'minutes')
      return plural(Math.round(seconds / 3600), 'hour', 'hours')
    },
    type: 'Who may join',
    types: { public: 'Public', private: 'Private', moderator: 'Moderators', admin: 'Administrators' },
    typesAbout: {
      public: 'Everybody finds it, reads it and joins.',
      private: 'Only people who are invited know of it.',
      moderator: 'For people with the role moderator, and administrators.',
      admin: 'For administrators.'
    },
    retention: 'Messages are kept',
    retentionHint: 'Older messages are removed for good.',
    days: (days: number) => days === 0 ? 'For good' : days === 365 ? '1 year' : plural(days, 'day', 'days'),
    delete: 'Delete channel …',
    saved: 'The settings are saved.'
  },
  deleteChannel: {
    title: (channel: string) => `Delete ${channel}?`,
    about: 'The channel and all its messages are deleted for everybody, and nothing brings them back.',
    label: (channel: string) => `Type ${channel} to confirm`,
    otherName: (channel: string) => `This is not the name of the channel: ${channel}`,
    act: 'Delete channel',
    done: (channel: string) => `${channel} is deleted.`
  },
  search: {
    title: 'Search messages',
    label: 'Search messages',
    where: 'Where to search',
    everywhere: 'All channels',
    act: 'Search',
    help: 'Finds whole words. "Two words" in quotes follow each other, -word leaves messages out, or finds either.',
    direct: 'directly to you',
    directTo: (name: string) => `directly to ${name}`,
    found: (count: number, isMore: boolean) => `${isMore ? 'More than ' : ''}${plural(count, 'message', 'messages')}`,
    nothing: 'No message has these words. Only whole words are found, and new messages some seconds after they were sent.',
    more: 'Older messages',
    deleted: 'This message was deleted.'
  },
  jump: {
    open: 'Jump to …',
    title: 'Jump to',
    label: 'Channel, person or action',
    found: (count: number) => plural(count, 'result', 'results'),
    direct: 'Write directly',
    notIn: 'Not joined',
    nothing: 'Nothing fits.',
    search: (query: string) => query === '' ? 'Search messages' : `Search messages for “${query}”`
  },
  shortcuts: {
    title: 'Keyboard shortcuts',
    jump: 'Jump anywhere',
    previousNext: 'Previous, next conversation',
    nextUnread: 'Next unread conversation',
    send: 'Send',
    lineBreak: 'New line',
    editLast: 'Edit your last message',
    list: 'This list'
  },
  channel: {
    placeholder: (channel: string) => `Message ${channel}`,
    send: 'Send',
    log: 'Messages',
    empty: 'Nobody has said anything here yet.'
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
