import { Type } from '@sinclair/typebox'
import { compile } from '../schemas/common.ts'
import { Email } from '../schemas/user.ts'

const check = compile(Type.Object({ email: Email }), 'invalid_request')

/** The form in which an address is unique and looked up: compatibility characters unified, lower case. */
export function normaliseEmail (email: string): string {
  return email.normalize('NFKC').toLowerCase()
}

/**
 * The normalised form of an address that is to be kept.
 * @throws AppError `invalid_request` where it is none any more ("＠" becomes a second "@").
 */
export function toEmail (email: string): string {
  return check({ email: normaliseEmail(email) }).email
}
