import { randomBytes } from 'node:crypto'
import { uuidv7 } from 'uuidv7'
import { createAccessTokens } from '../../scripts/bench/tokens.ts'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/store/client.ts'
import { secret } from '../helper.ts'

export interface Member { id: string, name: string, token: string }

/** Seconds for which the logins are valid: longer than any run. */
const LIFETIME = 86_400
/** Seconds since the logins began. */
const AGE = 7200

/** Inserts users with logins into the database, because a thousand registrations would hash a thousand passwords. */
export async function seedPeople (databaseUrl: string, count: number, role: 'user' | 'admin' = 'user'): Promise<Member[]> {
  const database = await openDatabase({ ...loadConfig({}).config.database, url: databaseUrl })
  const { sign } = await createAccessTokens(secret)
  // An instance whose clock is behind refuses a token that was issued in its future.
  const iat = Math.floor(Date.now() / 1000) - AGE
  const people = Array.from({ length: count }, (_, i) => ({ id: uuidv7(), sid: uuidv7(), name: `person-${i}` }))
  try {
    await database.prisma.user.createMany({ data: people.map(({ id, name }) => ({ id, name, role, email: `${id}@example.org` })) })
    const expiresAt = new Date((iat + LIFETIME) * 1000)
    await database.prisma.refreshToken.createMany({
      data: people.map(({ id, sid }) => ({ userId: id, familyId: sid, expiresAt, tokenHash: randomBytes(32), salt: randomBytes(16) }))
    })
  } finally {
    await database.close()
  }
  return people.map(({ id, sid, name }) => ({
    id, name, token: sign({ user_id: id, sid, email: `${id}@example.org`, typ: 'access', iat, exp: iat + LIFETIME })
  }))
}
