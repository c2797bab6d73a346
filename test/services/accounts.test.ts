import { loadConfig } from '../../src/config.ts'
import { createCounters } from '../../src/counters.ts'
import { createLogger } from '../../src/logger.ts'
import { createAccounts } from '../../src/services/accounts.ts'
import { createLoginThrottle } from '../../src/services/login-throttle.ts'
import { createPasswords } from '../../src/services/passwords.ts'
import { createUsers } from '../../src/store/users.ts'
import { openTestDatabase } from '../routes/rest.ts'
import { t, type Test } from '../tap.ts'

const email = 'ann@example.org'

/** `start` does what every instance does with the configured admin when it starts. */
async function buildStart (t: Test) {
  const { prisma } = await openTestDatabase(t)
  const counters = createCounters({ url: undefined, prefix: '', logger: createLogger('silent') })
  const none = () => {}
  const start = (address: string, password: string): Promise<string | null> => createAccounts({
    users: createUsers(prisma),
    passwords: createPasswords(),
    throttle: createLoginThrottle({ counters, limits: loadConfig({}).config.limits }),
    onLoginRevoked: none,
    erase: async () => {},
    onUserChanged: none
  }).ensureAdmin(address, password)

  const register = async (password: string, rest: { role?: 'admin', disabledAt?: Date } = {}) =>
    prisma.user.create({ data: { email, name: 'Ann', passwordHash: await createPasswords().hash(password, 'a'), ...rest } })
  const ann = () => prisma.user.findUnique({ where: { email } })
  return { prisma, start, register, ann }
}

t.test('several instances that start at once create one admin', async t => {
  const { prisma, start } = await buildStart(t)
  await Promise.all(Array.from({ length: 5 }, () => start('Root@Example.org', 'password-of-root')))
  t.match(await prisma.user.findMany(), [{ email: 'root@example.org', role: 'admin' }])
  const { id: targetId } = await prisma.user.findFirstOrThrow()
  t.match(await prisma.moderationLog.findMany(), [{ action: 'set_role_admin', actorId: null, targetId }], '[P63]')
  t.equal(await prisma.moderationLog.count(), 1)
})

t.test('[P56] an existing account becomes an admin if ADMIN_PASSWORD is its password, and keeps the password', async t => {
  const { start, register, ann } = await buildStart(t)
  const { passwordHash } = await register('caf\u00e9-password')
  await start('ANN@example.org', 'cafe\u0301-password')
  t.match(await ann(), { name: 'Ann', role: 'admin', passwordHash })
  await start(email, 'another password')
  t.match(await ann(), { role: 'admin', passwordHash }, 'an admin whose password differs from ADMIN_PASSWORD is left as they are')
})

t.test('[P56] an account with another password is not promoted, and the start is refused in one line that says what to do', async t => {
  const { start, register, ann } = await buildStart(t)
  await register('password-of-a-stranger')
  t.equal(await start(email, 'password-of-root'),
    'ADMIN_EMAIL: ann@example.org has an account already, and ADMIN_PASSWORD is not its password; ' +
    'give its password, name another address, or run "npm run admin -- promote ann@example.org" if you know whose account it is')
  t.match(await ann(), { role: 'user' })
})
