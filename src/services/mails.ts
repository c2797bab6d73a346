import type { Mail } from './mail-queue.ts'

// No mail contains text that a user has chosen, such as their name: anyone may register somebody else's address.

/** `link` leads to the page where the code is used; null if that is not known. */
interface Key { code: string, link: string | null }

export function resetMail (to: string, key: Key): Mail {
  return {
    to,
    subject: 'Choose a new password',
    text: `Somebody asked for a new password for the account with this email address.

${guide(key, 'choose a new password')}

It works once, and for one hour. If you did not ask for it, ignore this mail: your password stays as it is.
`
  }
}

export function verificationMail (to: string, key: Key): Mail {
  return {
    to,
    subject: 'Confirm your email address',
    text: `An account was made with this email address.

${guide(key, 'confirm that the address is yours')}

It works for one day. If you did not make the account, ignore this mail.
`
  }
}

function guide ({ code, link }: Key, aim: string): string {
  return link === null ? `Enter this code to ${aim}:\n\n${code}` : `Open this page to ${aim}:\n\n${link}`
}
