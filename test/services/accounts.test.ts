import t from 'tap'
import { createAccounts } from '../../src/services/accounts.ts'
import { createLoginThrottle } from '../../src/services/login-throttle.ts'
import { createPasswords } from '../../src/services/passwords.ts'
import { createUsers } from '../../src/store/users.ts'
import { openTestDatabase } from '../routes/rest.ts'

t.test('several instances that start at once make one admin; an existing account becomes one and keeps its password', async t => {
  const { prisma } = await openTestDatabase(t)
  const none = () => {}
  const instance = () => createAccounts({
    users: createUsers(prisma),
    passwords: createPasswords(),
    throttle: createLoginThrottle(),
    onLoginRevoked: none,
    erase: async () => {},
    onUserChanged: none
  })
  await Promise.all(Array.from({ length: 5 }, () => instance().ensureAdmin('Root@Example.org', 'password-of-root')))
  t.match(await prisma.user.findMany(), [{ email: 'root@example.org', role: 'admin' }])

  await prisma.user.create({ data: { email: 'ann@example.org', name: 'Ann', passwordHash: 'hers' } })
  await instance().ensureAdmin('ann@example.org', 'password-of-root')
  t.match(await prisma.user.findUnique({ where: { email: 'ann@example.org' } }), { name: 'Ann', role: 'admin', passwordHash: 'hers' })
})
