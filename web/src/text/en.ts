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
