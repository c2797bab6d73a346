import { Type, type TProperties } from '@sinclair/typebox'
import { AppError } from '../errors.ts'
import { handlePattern, UserId } from '../schemas/common.ts'

/** The fields of a request as they name another user: by id, by handle, or by both. */
interface Target { user_id?: string, handle?: string }

/** Finds users by their handles. */
export interface HandleLookup {
  /** Returns the id of the user with this handle, or the nil id, which is nobody's. */
  idOfHandle (handle: string): Promise<string>
}

const targetFields = {
  user_id: Type.Optional({ ...UserId, unless: 'handle' }),
  handle: Type.Optional(Type.String({
    pattern: handlePattern, whenMissing: 'user_required', unless: 'user_id', whenInvalid: 'user_not_found'
  }))
}

/** Says whether a request names another user. */
export function hasTarget (fields: TProperties): boolean {
  return 'user_id' in fields
}

/** Lets a request that takes a `user_id` take a `handle` instead [P65]. */
export function withHandle<F extends TProperties> (fields: F): F {
  return hasTarget(fields) ? { ...fields, ...targetFields } : fields
}

/** Reads the user that a path names: an id has dashes, a handle has none. */
export function targetOf (key: string): Target {
  return key.includes('-') ? { user_id: key.toLowerCase() } : { handle: key }
}

/**
 * Replaces the `handle` in a request's fields by the `user_id`. An unknown handle becomes an id that nobody has, so that the request is
 * judged in the usual order, its channel before its target [P9].
 * @throws AppError `invalid_request` if the fields name two users.
 */
export async function resolveTarget<F extends object> ({ idOfHandle }: HandleLookup, fields: F): Promise<F> {
  const { user_id: userId, handle, ...rest } = fields as Target
  if (handle === undefined) return fields
  const found = await idOfHandle(handle.toLowerCase())
  if (userId !== undefined && userId !== found) throw new AppError('invalid_request', { detail: 'handle: expected the handle of user_id' })
  return { ...rest, user_id: found } as F
}
