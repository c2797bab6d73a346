import { Type } from '@sinclair/typebox'
import { compile } from '../schemas/common.ts'
import { Email } from '../schemas/user.ts'

const check = compile(Type.Object({ email: Email }), 'invalid_request')

/** The form in which an email address is unique and is looked up: in Unicode form NFKC and in lower case. */
export function normaliseEmail (email: string): string {
  return email.normalize('NFKC').toLowerCase()
}

/**
 * Normalises an email address for storage.
 * @throws AppError `invalid_request` if the result is not an email address: "＠" becomes "@", which may be a second one.
 */
export function toEmail (email: string): string {
  return check({ email: normaliseEmail(email) }).email
}
